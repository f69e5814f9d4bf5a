#include "geometry/merge_panoptic.h"

#include <algorithm>

namespace caffe2rt {
namespace {

// Calls f(pixel of the map) for every pixel that a mask covers.
template <class F>
void for_each_pixel(const PastedMask& mask, std::span<std::int32_t> map, int width, F&& f) {
  for (int y = 0; y < mask.height; y++) {
    std::int32_t* row = map.data() + static_cast<std::ptrdiff_t>(mask.y + y) * width + mask.x;
    const std::uint8_t* covered = mask.pixels.data() + static_cast<std::ptrdiff_t>(y) * mask.width;
    for (int x = 0; x < mask.width; x++)
      if (covered[x]) f(row[x]);
  }
}

}  // namespace

std::vector<std::int32_t> number_stuff(std::span<const std::int64_t> areas, std::int64_t least_area,
                                       std::int32_t things) {
  std::vector<std::int32_t> segments(areas.size());
  for (size_t category = 1; category < areas.size(); category++)
    if (areas[category] > 0 && areas[category] >= least_area) segments[category] = ++things;
  return segments;
}

MergedPanoptic merge_panoptic(std::span<const PanopticThing> things, std::span<const std::int32_t> labels,
                              std::int64_t classes, FrameSize frame, const MergeRules& rules,
                              std::span<std::int32_t> map) {
  MergedPanoptic merged;
  std::ranges::fill(map, 0);
  std::int32_t segments = 0;
  for (const PanopticThing& thing : things) {
    const PastedMask mask = paste_mask(thing.mask, thing.box, frame);
    std::int64_t area = 0, taken = 0;
    for_each_pixel(mask, map, frame.width, [&](std::int32_t id) {
      area++;
      taken += id != 0;
    });
    const bool stays =
        area > 0 && static_cast<double>(taken) / static_cast<double>(area) <= rules.overlap_threshold;
    merged.things.push_back(stays ? ++segments : 0);
    if (!stays) continue;
    for_each_pixel(mask, map, frame.width, [&](std::int32_t& pixel) {
      if (pixel == 0) pixel = segments;
    });
  }
  merged.stuff_areas.resize(classes);
  for (size_t i = 0; i < labels.size(); i++) merged.stuff_areas[labels[i]] += map[i] == 0;
  const auto stuff = number_stuff(merged.stuff_areas, rules.stuff_area, segments);
  for (size_t i = 0; i < labels.size(); i++)
    if (map[i] == 0) map[i] = stuff[labels[i]];
  return merged;
}

}  // namespace caffe2rt
