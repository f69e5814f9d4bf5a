#include "decode/merge_panoptic.h"

#include <algorithm>
#include <map>

#include "decode/paste_masks.h"

namespace caffe2rt {
namespace {

// Calls f(pixel of the map) for every pixel that a mask covers.
template <class F>
void for_each_pixel(const PastedMask& mask, LabelMap& map, F&& f) {
  for (int y = 0; y < mask.height; y++) {
    std::int32_t* row = map.ids.data() + static_cast<std::ptrdiff_t>(mask.y + y) * map.width + mask.x;
    const std::uint8_t* covered = mask.pixels.data() + static_cast<std::ptrdiff_t>(y) * mask.width;
    for (int x = 0; x < mask.width; x++)
      if (covered[x]) f(row[x]);
  }
}

void add_things(const MergeOptions& options, Detections& detections, LabelMap& map) {
  if (detections.masks.size == 0) return;
  for (size_t i = 0; i < detections.objects.size(); i++) {
    const Object& object = detections.objects[i];
    if (object.score < options.object_threshold) break;
    const PastedMask mask = paste_mask(detections, static_cast<int>(i));
    std::int64_t area = 0, taken = 0;
    for_each_pixel(mask, map, [&](std::int32_t id) {
      area++;
      taken += id != 0;
    });
    if (area == 0 || static_cast<double>(taken) / static_cast<double>(area) > options.overlap_threshold)
      continue;
    const int id = static_cast<int>(detections.segments.size()) + 1;
    for_each_pixel(mask, map, [&](std::int32_t& pixel) {
      if (pixel == 0) pixel = id;
    });
    detections.segments.push_back({.id = id,
                                   .is_thing = true,
                                   .category_id = object.class_id,
                                   .object = static_cast<int>(i),
                                   .score = object.score});
  }
}

void add_stuff(const MergeOptions& options, Detections& detections, LabelMap& map) {
  const auto& semantic = detections.semantic->ids;
  std::map<std::int32_t, std::int64_t> areas;  // of what things leave, by class
  for (size_t i = 0; i < semantic.size(); i++)
    if (map.ids[i] == 0) areas[semantic[i]]++;
  std::map<std::int32_t, std::int32_t> ids;  // segment by class
  for (const auto& [category, area] : areas) {
    if (category == 0 || area < options.stuff_area) continue;  // class 0 stands for all things
    const int id = static_cast<int>(detections.segments.size()) + 1;
    detections.segments.push_back({.id = id, .category_id = category, .area = area});
    ids[category] = id;
  }
  for (size_t i = 0; i < semantic.size(); i++) {
    if (map.ids[i] != 0) continue;
    const auto id = ids.find(semantic[i]);
    if (id != ids.end()) map.ids[i] = id->second;
  }
}

}  // namespace

void merge_panoptic(const MergeOptions& options, Detections& detections) {
  LabelMap map{detections.width, detections.height, {}};
  map.ids.resize(detections.semantic->ids.size());
  detections.segments.clear();
  add_things(options, detections, map);
  add_stuff(options, detections, map);
  detections.panoptic = std::move(map);
}

}  // namespace caffe2rt
