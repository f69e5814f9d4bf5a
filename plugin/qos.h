// Qos: what a sink says of frames that came too late to be shown, and what the element says of those that it
// left out (https://gstreamer.freedesktop.org/documentation/additional/design/qos.html).
#pragma once

#include <gst/gst.h>

#include <mutex>

#include "serving/stream_stats.h"

namespace caffe2rt::gst {

// Thread-safe.
class Qos {
 public:
  // Takes a sink's QOS event in.
  void update(GstEvent* event);
  // Forgets it: after a flush.
  void reset();

  // Whether a frame of that running time is late already, as GstBaseTransform sees it.
  bool is_late(GstClockTime running_time) const;

  // Posts a QOS message for a frame that was left out; `sink` is the pad that it came in at.
  void post(GstElement* element, GstPad* sink, GstBuffer* buffer, bool live, const StreamStats& stats) const;

 private:
  mutable std::mutex lock_;
  // Guarded by lock_.
  GstClockTime earliest_ = GST_CLOCK_TIME_NONE;  // running time up to which frames come too late
  double proportion_ = 1;
};

}  // namespace caffe2rt::gst
