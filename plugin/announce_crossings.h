// Element messages of what crossed lines and zones, for applications that wait for it.
#pragma once

#include <gst/gst.h>

#include "decode/detections.h"

namespace caffe2rt::gst {

// Times of a frame, ns; each may be GST_CLOCK_TIME_NONE.
struct FrameTimes {
  GstClockTime timestamp, stream_time, running_time, duration;
};

// Posts an element message per crossing of the frame: `caffe2-line-crossed` with line (string), direction
// ("forward" or "backward"), forward and backward (int64: so far); `caffe2-zone-entered` or
// `caffe2-zone-left` with zone (string), inside, entered and left (int64), and of the latter dwell (uint64,
// ns). All have track-id (int64), class-id (int), label (string), x and y (double, pixels of the frame that
// the model looked at), timestamp, stream-time, running-time and duration (uint64, ns), and text: a sentence
// that says the same.
void announce_crossings(GstElement* element, const Detections& frame, const FrameTimes& times);

}  // namespace caffe2rt::gst
