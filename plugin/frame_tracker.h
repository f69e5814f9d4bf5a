// FrameTracker: follows the objects of a stream's GstCaffe2Metas: writes ids, expected objects, lines, zones
// and crossings into them.
#pragma once

#include <string>
#include <vector>

#include "attach_metas.h"
#include "tracking/place_counter.h"
#include "tracking/tracker.h"

namespace caffe2rt::gst {

// What the properties of caffe2tracker say.
struct TrackerSettings {
  TrackerOptions options;    // but for max_age
  int max_age = 1000;        // ms
  std::string lines, zones;  // as read_lines and read_zones (tracking/places.h) take them
  Anchor anchor = Anchor::kBottom;
  guint metas = kDefaultMetas;  // of frames that nobody looked at

  bool same_places(const TrackerSettings& other) const {
    return lines == other.lines && zones == other.zones && anchor == other.anchor;
  }
};

// One thread at a time.
class FrameTracker {
 public:
  // Tracks that are there go on with the new settings. Throws Error(kArgument) for lines and zones that make
  // no sense; then nothing changes but the rest of the settings.
  void set(const TrackerSettings& settings);

  // Forgets tracks, as where a stream begins elsewhere; ids and counts go on. That they left their zones is
  // said with the next frame that was looked at.
  void forget();

  // Writes what is known of the frame into the first of its metas, and into the metadata beside it, at a
  // running time of `now` (ns). False where the frame has no GstCaffe2Meta. REQUIRES: the buffer is writable.
  bool track(GstBuffer* buffer, GstClockTime now);

  // What the last frame says, for those who announce crossings; never null.
  const std::shared_ptr<const Detections>& last() const { return last_; }

 private:
  std::shared_ptr<const Detections> look(const Detections& frame);
  std::shared_ptr<const Detections> expect(const Detections& frame);
  void remember_beginnings(const Detections& tracked, GstClockTime now);

  TrackerSettings settings_;
  Tracker tracker_;
  PlaceCounter counter_;
  FirstSeen first_seen_;
  std::vector<Crossing> left_;  // crossings that no frame has said yet
  double seconds_ = 0;          // running time of the last frame
  std::shared_ptr<const Detections> last_ = std::make_shared<Detections>();
};

}  // namespace caffe2rt::gst
