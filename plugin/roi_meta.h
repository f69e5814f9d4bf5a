// GstVideoRegionOfInterestMeta: the metadata for boxes that every GStreamer knows.
#pragma once

#include <gst/gst.h>

#include "decode/detections.h"
#include "overlay/overlay.h"

namespace caffe2rt::gst {

// Attaches one GstVideoRegionOfInterestMeta per object, clipped to the frame: roi_type is the label, id is
// new in the buffer, parent_id the id of the region that the object was seen in, or -1. Its parameter is a
// structure `detection` named as DL Streamer does: label_id (int), confidence, x_min, x_max, y_min, y_max
// (double; edges as parts of the frame, 0..1). What a classifier thinks of a region that was there already is
// added to it as a structure `classification`: label (string), label_id (int), confidence (double) of the
// best class. REQUIRES:
// the buffer is writable; the detections belong to this very frame.
void attach_regions(GstBuffer* buffer, const Detections& detections);

// Adds a structure `object_id`, as DL Streamer names it, with id (int) to the regions that attach_regions
// made of these objects and that have none yet, and takes away those it made of objects of `seen` that are
// not among `tracked`. REQUIRES: as attach_regions.
void attach_track_ids(GstBuffer* buffer, const Detections& seen, const Detections& tracked);

// Draws the regions that still carry a `detection` structure: GStreamer drops it where it scales a region,
// which it does wrongly where borders were added.
void draw_regions(GstBuffer* buffer, Overlay& overlay, const OverlayStyle& style);

}  // namespace caffe2rt::gst
