#include "qos.h"

#include "gst_ref.h"

namespace caffe2rt::gst {

void Qos::update(GstEvent* event) {
  GstClockTimeDiff late = 0;
  GstClockTime time = GST_CLOCK_TIME_NONE;
  double proportion = 1;
  gst_event_parse_qos(event, nullptr, &proportion, &late, &time);
  const bool known = GST_CLOCK_TIME_IS_VALID(time) && (late >= 0 || time > static_cast<GstClockTime>(-late));
  const std::lock_guard lock(lock_);
  proportion_ = proportion;
  earliest_ = known ? time + late : GST_CLOCK_TIME_NONE;
}

void Qos::reset() {
  const std::lock_guard lock(lock_);
  earliest_ = GST_CLOCK_TIME_NONE;
  proportion_ = 1;
}

bool Qos::is_late(GstClockTime time) const {
  const std::lock_guard lock(lock_);
  return GST_CLOCK_TIME_IS_VALID(time) && GST_CLOCK_TIME_IS_VALID(earliest_) && time <= earliest_;
}

void Qos::post(GstElement* element, GstPad* sink, GstBuffer* buffer, bool live,
               const StreamStats& stats) const {
  GstClockTime running = GST_BUFFER_PTS(buffer), stream = running;
  if (const Ref<GstEvent> event{gst_pad_get_sticky_event(sink, GST_EVENT_SEGMENT, 0)}) {
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event.get(), &segment);
    if (segment->format == GST_FORMAT_TIME) {
      running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
      stream = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    }
  }
  GstMessage* message = gst_message_new_qos(GST_OBJECT(element), live, running, stream,
                                            GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer));
  {
    const std::lock_guard lock(lock_);
    const bool known = GST_CLOCK_TIME_IS_VALID(earliest_) && GST_CLOCK_TIME_IS_VALID(running);
    gst_message_set_qos_values(message, known ? GST_CLOCK_DIFF(running, earliest_) : 0, proportion_, 1000000);
  }
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, stats.frames_inferred,
                            stats.frames_passed + stats.frames_dropped);
  gst_element_post_message(element, message);
}

}  // namespace caffe2rt::gst
