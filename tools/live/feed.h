// The way of encoded frames into whatever an RTSP server's clients watch: the appsrc of the media that they
// share, while there is one. Any thread may call; whoever makes the media, whoever encodes and whoever takes
// both down share it.
#pragma once

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <functional>
#include <mutex>

#include "owned.h"

namespace caffe2rt {

class Feed {
 public:
  // ask_for_key_frame() must not come back to this object. It is called until close().
  explicit Feed(std::function<void()> ask_for_key_frame) : ask_(std::move(ask_for_key_frame)) {}

  void open(Owned<GstElement> appsrc);  // in the place of another
  void shut(const GstElement* appsrc);  // where it is the open one
  void ask_for_key_frame();
  // A frame at its running time, in ns, in its own pipeline. What comes before a key frame, or while nobody
  // watches, is left out.
  void push(GstBuffer* frame, GstCaps* caps, GstClockTime time);
  void end_of_stream();
  void close();  // for good

 private:
  bool can_start(GstBuffer* frame);

  std::mutex lock_;  // guards all that follows
  std::function<void()> ask_;
  Owned<GstElement> appsrc_;
  Owned<GstCaps> caps_;  // the appsrc's
  bool started_ = false, asked_ = false;
  GstClockTimeDiff offset_ = 0;  // ns, from the times of push() to those of the media
};

}  // namespace caffe2rt
