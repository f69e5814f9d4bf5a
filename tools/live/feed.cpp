#include "feed.h"

#include <algorithm>

namespace caffe2rt {

void Feed::open(Owned<GstElement> appsrc) {
  const std::lock_guard lock(lock_);
  appsrc_ = std::move(appsrc);
  caps_.reset();
  started_ = asked_ = false;
  if (ask_) ask_();  // the server answers a client only after that
}

void Feed::shut(const GstElement* appsrc) {
  const std::lock_guard lock(lock_);
  if (appsrc_.get() == appsrc) appsrc_.reset();
}

void Feed::ask_for_key_frame() {
  const std::lock_guard lock(lock_);
  if (ask_) ask_();
}

// A media that does not play yet has no times. The key frame may come before it does.
bool Feed::can_start(GstBuffer* frame) {
  if (GST_STATE(appsrc_.get()) != GST_STATE_PLAYING) return false;
  if (!GST_BUFFER_FLAG_IS_SET(frame, GST_BUFFER_FLAG_DELTA_UNIT)) return true;
  if (!asked_ && ask_) ask_();
  asked_ = true;
  return false;
}

void Feed::push(GstBuffer* frame, GstCaps* caps, GstClockTime time) {
  const std::lock_guard lock(lock_);
  if (!appsrc_ || !GST_CLOCK_TIME_IS_VALID(time)) return;
  if (!started_) {
    if (!can_start(frame)) return;
    started_ = true;
    const GstClockTime now = gst_element_get_current_running_time(appsrc_.get());
    offset_ = static_cast<GstClockTimeDiff>(now) - static_cast<GstClockTimeDiff>(time);
  }
  auto* appsrc = GST_APP_SRC(appsrc_.get());
  if (caps_.get() != caps) {
    caps_.reset(gst_caps_ref(caps));
    gst_app_src_set_caps(appsrc, caps);
  }
  GstBuffer* copy = gst_buffer_copy(frame);  // of the description alone
  GST_BUFFER_PTS(copy) =
      static_cast<GstClockTime>(std::max<GstClockTimeDiff>(0, static_cast<GstClockTimeDiff>(time) + offset_));
  GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
  gst_app_src_push_buffer(appsrc, copy);
}

void Feed::end_of_stream() {
  const std::lock_guard lock(lock_);
  if (appsrc_) gst_app_src_end_of_stream(GST_APP_SRC(appsrc_.get()));
}

void Feed::close() {
  const std::lock_guard lock(lock_);
  ask_ = nullptr;
  appsrc_.reset();
}

}  // namespace caffe2rt
