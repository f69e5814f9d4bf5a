// GstAnalyticsRelationMeta: GStreamer's own metadata of what is seen, from 1.24 on, which its overlays,
// trackers and ONVIF converters read.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <map>

#include "decode/detections.h"

namespace caffe2rt::gst {

// Adds to the buffer's relation metadata, or to one made for it where it has none:
// - per object an ODMtd, its type the label's quark (from 1.26 an oriented one for rotated boxes: the upright
//   box before its turn, radians clockwise), and a ClsMtd of the class and its score, RELATE_TO both ways;
// - an object seen in the region of an earlier ODMtd IS_PART_OF that one, which CONTAINs it, and a region's
//   classes RELATE_TO it;
// - the classes of a whole frame, best first, as a ClsMtd of their own;
// - with `masks`, from 1.26 on: per object a SegmentationMtd (its box, GRAY8, 255 inside, region id 255),
//   RELATE_TO its ODMtd both ways; one for the semantic and one for the panoptic map (GRAY8, or GRAY16 past
//   255 regions; region id: class + 1, or the segment's id; 0 for none), whose regions are N_TO_N with the
//   entries of a ClsMtd.
// Boxes are clipped to the frame, in whole pixels. REQUIRES: the buffer is writable; the detections belong to
// this very frame.
void attach_analytics(GstBuffer* buffer, const Detections& detections, bool masks);

// Adds a TrackingMtd for each object with a track, RELATE_TO its ODMtd both ways, where the buffer has one of
// the object's box and label: its id, when it was seen first and that it is seen `now` (running times, ns).
// REQUIRES: as attach_analytics.
void attach_tracking(GstBuffer* buffer, const Detections& tracked,
                     const std::map<std::int64_t, GstClockTime>& first, GstClockTime now);

}  // namespace caffe2rt::gst
