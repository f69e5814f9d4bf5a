// What an element that holds frames for a while adds to the allocation of those upstream.
#pragma once

#include <gst/gst.h>

namespace caffe2rt::gst {

struct Allocation {
  bool answered = false;
  // Those downstream have not said that they know GstVideoMeta: frames with padded rows must be packed for
  // them.
  bool wants_packed = true;
};

// Asks those downstream of `src`, then for `inside` more buffers in each pool, and for GstVideoMeta: what
// holds frames does not care how their rows lie. Makes room for the query's own pool where nobody asked for
// one. Frames that show a part of what they hold are not asked for.
Allocation answer_allocation(GstPad* src, GstQuery* query, guint inside);

// Takes GstVideoCropMeta out of an answer: pixels are read as the caps say.
void refuse_cropping(GstQuery* query);

}  // namespace caffe2rt::gst
