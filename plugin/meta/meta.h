// The C++ side of GstCaffe2Meta (gst/caffe2/gstcaffe2meta.h, gstcaffe2tracks.h): how our elements attach and
// read it.
#pragma once

#include <memory>

#include "decode/detections.h"
#include "frame/affine.h"
#include "gst/caffe2/gstcaffe2meta.h"

namespace caffe2rt::gst {

// What a GstCaffe2Meta holds. Copies share the detections.
struct SeenFrame {
  std::shared_ptr<const Detections> detections;  // never null
  // All but GST_CAFFE2_LOOK_INFERRED: nobody looked, and the detections are empty, or a tracker's
  // expectation.
  GstCaffe2Look look = GST_CAFFE2_LOOK_GAP;
  Affine map;                 // from the detections' frame to the frame now
  int width = 0, height = 0;  // the frame now, pixels
};

// REQUIRES: the buffer is writable.
GstCaffe2Meta* attach(GstBuffer* buffer, SeenFrame seen);

const SeenFrame& seen(const GstCaffe2Meta* meta);

// Puts other detections of the same frame in place of the meta's. REQUIRES: its buffer is writable.
void replace(GstCaffe2Meta* meta, std::shared_ptr<const Detections> detections);

// Calls f for each GstCaffe2Meta of the buffer.
template <class F>
void for_each_meta(GstBuffer* buffer, F&& f) {
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, GST_CAFFE2_META_API_TYPE))
    f(seen(reinterpret_cast<const GstCaffe2Meta*>(meta)));
}

}  // namespace caffe2rt::gst
