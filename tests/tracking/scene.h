// Hand-made scenes for a tracker: boxes that go their ways at 30 frames a second.
#pragma once

#include <vector>

#include "tracking/tracker.h"

namespace caffe2rt {

inline Object object_at(double x, double y, double side = 40, float score = 0.9F, int class_id = 0) {
  const auto edge = [](double e) { return static_cast<float>(e); };
  Object object;
  object.box = {edge(x - side / 2), edge(y - side / 2), edge(x + side / 2), edge(y + side / 2)};
  object.score = score;
  object.class_id = class_id;
  return object;
}

inline Detections frame_with(std::vector<Object> objects) {
  Detections seen;
  seen.width = 640;
  seen.height = 480;
  seen.objects = std::move(objects);
  return seen;
}

inline constexpr double kFrame = 1.0 / 30;  // seconds

// Ids in the order of the objects.
inline std::vector<std::int64_t> ids_of(const Detections& seen) {
  std::vector<std::int64_t> ids;
  for (const Object& object : seen.objects) ids.push_back(object.track_id);
  return ids;
}

}  // namespace caffe2rt
