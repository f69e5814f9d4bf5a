#include "frame_tracker.h"

#include <utility>

namespace caffe2rt::gst {

void FrameTracker::set(const TrackerSettings& settings) {
  TrackerOptions options = settings.options;
  options.max_age = settings.max_age / 1000.0;
  tracker_.set_options(options);
  TrackerSettings now = settings;
  std::swap(settings_, now);
  if (settings_.same_places(now)) return;
  try {
    counter_.set_places(read_lines(settings.lines), read_zones(settings.zones), settings.anchor);
  } catch (...) {
    settings_.lines = now.lines;
    settings_.zones = now.zones;
    settings_.anchor = now.anchor;
    throw;
  }
}

void FrameTracker::forget() {
  tracker_.reset();
  Detections nothing;
  counter_.update(nothing, tracker_.ended(), 0);
  left_.insert(left_.end(), nothing.crossings.begin(), nothing.crossings.end());
  first_seen_.clear();
}

void FrameTracker::remember_beginnings(const Detections& tracked, GstClockTime now) {
  for (const std::int64_t id : tracker_.ended()) first_seen_.erase(id);
  for (const Object& object : tracked.objects)
    if (object.track_id >= 0) first_seen_.try_emplace(object.track_id, now);
}

std::shared_ptr<const Detections> FrameTracker::look(const Detections& frame) {
  Detections tracked = tracker_.update(frame, seconds_);
  if (counter_.has_places()) counter_.update(tracked, tracker_.ended(), seconds_);
  tracked.crossings.insert(tracked.crossings.begin(), left_.begin(), left_.end());
  left_.clear();
  return std::make_shared<const Detections>(std::move(tracked));
}

std::shared_ptr<const Detections> FrameTracker::expect(const Detections& frame) {
  Detections expected = tracker_.predict(seconds_);
  if (expected.width != frame.width || expected.height != frame.height) expected = frame;
  counter_.annotate(expected);
  return std::make_shared<const Detections>(std::move(expected));
}

bool FrameTracker::track(GstBuffer* buffer, GstClockTime now) {
  GstCaffe2Meta* meta = gst_buffer_get_caffe2_meta(buffer);
  if (!meta) return false;
  const SeenFrame frame = seen(meta);
  if (frame.look == GST_CAFFE2_LOOK_GAP) return last_ = frame.detections, true;
  const Detections& then = *frame.detections;
  // What lies beside the meta belongs to the frame as it is now.
  const bool same_frame = frame.width == then.width && frame.height == then.height;
  seconds_ = static_cast<double>(now) / GST_SECOND;
  if (frame.look == GST_CAFFE2_LOOK_INFERRED) {
    last_ = look(then);
    remember_beginnings(*last_, now);
    if (same_frame) attach_tracks(buffer, then, *last_, first_seen_, now);
  } else {
    last_ = expect(then);
    if (same_frame) {
      attach_metas(buffer, {last_, frame.look, frame.map, frame.width, frame.height},
                   settings_.metas & ~static_cast<guint>(kCaffe2Meta));
      attach_tracks(buffer, *last_, *last_, first_seen_, now);
    }
  }
  replace(meta, last_);
  return true;
}

}  // namespace caffe2rt::gst
