#include "decode/merge_panoptic.h"

#include <algorithm>
#include <vector>

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
  if (semantic.empty()) return;
  const size_t classes = *std::ranges::max_element(semantic) + size_t{1};
  std::vector<std::int64_t> areas(classes);  // of what things leave
  for (size_t i = 0; i < semantic.size(); i++) areas[semantic[i]] += map.ids[i] == 0;
  std::vector<std::int32_t> ids(classes);                      // the class's segment, 0 for none
  for (size_t category = 1; category < classes; category++) {  // class 0 stands for all things
    if (areas[category] == 0 || areas[category] < options.stuff_area) continue;
    ids[category] = static_cast<int>(detections.segments.size()) + 1;
    detections.segments.push_back(
        {.id = ids[category], .category_id = static_cast<int>(category), .area = areas[category]});
  }
  for (size_t i = 0; i < semantic.size(); i++)
    if (map.ids[i] == 0) map.ids[i] = ids[semantic[i]];
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
