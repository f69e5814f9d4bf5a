#include "overlay/trails.h"

#include <algorithm>

#include "decode/mapped.h"

namespace caffe2rt {

void Trails::begin(int length) {
  const auto most = static_cast<size_t>(std::max(0, length));
  for (auto& [id, trail] : trails_) {
    trail.unseen++;
    while (trail.points.size() > most) trail.points.pop_front();
  }
  std::erase_if(trails_, [&](const auto& entry) { return entry.second.unseen > length; });
}

void Trails::add(const Detections& detections, const Affine& map) {
  for (const Object& object : detections.objects) {
    if (object.track_id < 0) continue;
    const Box box = map_box(object.box, map);
    Trail& trail = trails_[object.track_id];
    trail.points.push_back({(box.x1 + box.x2) / 2.0, box.y2});
    trail.class_id = object.class_id;
    trail.unseen = 0;
  }
}

}  // namespace caffe2rt
