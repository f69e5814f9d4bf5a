#include "decode/merge_panoptic.h"

#include <algorithm>

namespace caffe2rt {

void merge_panoptic(const MergeRules& rules, Detections& detections) {
  const auto& labels = detections.semantic->ids;
  const std::int64_t classes = labels.empty() ? 0 : std::ranges::max(labels) + std::int64_t{1};
  const SoftMasks& masks = detections.masks;
  std::vector<PanopticThing> things;
  if (masks.size > 0)
    for (const Object& object : detections.objects) {
      if (object.score < rules.object_threshold) break;
      const float* probs = masks.probs.data() + things.size() * masks.size * masks.size;
      things.push_back({object.box, {probs, masks.size, masks.pasting}});
    }
  LabelMap map{detections.width, detections.height, {}};
  map.ids.resize(labels.size());
  MergedPanoptic merged =
      merge_panoptic(things, labels, classes, {detections.height, detections.width}, rules, map.ids);
  detections.panoptic = std::move(map);
  merged.things.resize(detections.objects.size());
  describe_segments(merged.things, merged.stuff_areas, rules, detections);
}

void describe_segments(std::span<const std::int32_t> things, std::span<const std::int64_t> stuff_areas,
                       const MergeRules& rules, Detections& detections) {
  detections.segments.clear();
  for (size_t i = 0; i < things.size(); i++)
    if (things[i] > 0)
      detections.segments.push_back({.id = things[i],
                                     .is_thing = true,
                                     .category_id = detections.objects[i].class_id,
                                     .object = static_cast<int>(i),
                                     .score = detections.objects[i].score});
  const auto stuff =
      number_stuff(stuff_areas, rules.stuff_area, static_cast<int>(detections.segments.size()));
  for (size_t category = 0; category < stuff.size(); category++)
    if (stuff[category] > 0)
      detections.segments.push_back(
          {.id = stuff[category], .category_id = static_cast<int>(category), .area = stuff_areas[category]});
}

}  // namespace caffe2rt
