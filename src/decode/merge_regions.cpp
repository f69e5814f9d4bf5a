#include "decode/merge_regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace caffe2rt {
namespace {

Box shifted(const Box& box, float x, float y) { return {box.x1 + x, box.y1 + y, box.x2 + x, box.y2 + y}; }

void add_objects(const Detections& seen, int region, float x, float y, Detections& to) {
  for (Object object : seen.objects) {
    object.box = shifted(object.box, x, y);
    object.region = region;
    if (object.rotated) {
      object.rotated->cx += x;
      object.rotated->cy += y;
    }
    for (Keypoint& point : object.keypoints) {
      point.x += x;
      point.y += y;
    }
    to.objects.push_back(std::move(object));
  }
  if (seen.masks.size == 0) return;
  to.masks.size = seen.masks.size;
  to.masks.pasting = seen.masks.pasting;
  to.masks.probs.insert(to.masks.probs.end(), seen.masks.probs.begin(), seen.masks.probs.end());
}

// Writes a region's map into the frame's, `shift` added to all ids but `none`.
void add_map(const std::optional<LabelMap>& seen, const FrameRect& rect, int shift, int none,
             const FrameSize& frame, std::optional<LabelMap>& to) {
  if (!seen) return;
  if (!to)
    to = LabelMap{frame.width, frame.height,
                  std::vector<std::int32_t>(static_cast<size_t>(frame.width) * frame.height, none)};
  for (int y = 0; y < seen->height; y++) {
    const std::int32_t* from = seen->ids.data() + static_cast<size_t>(y) * seen->width;
    std::int32_t* row = to->ids.data() + static_cast<size_t>(rect.y + y) * frame.width + rect.x;
    std::transform(from, from + seen->width, row,
                   [&](std::int32_t id) { return id == none ? id : id + shift; });
  }
}

void add_segments(const Detections& seen, int id_shift, int object_shift, Detections& to) {
  for (PanopticSegment segment : seen.segments) {
    segment.id += id_shift;
    if (segment.object >= 0) segment.object += object_shift;
    to.segments.push_back(segment);
  }
}

int largest_id(const Detections& detections) {
  int largest = 0;
  for (const PanopticSegment& segment : detections.segments) largest = std::max(largest, segment.id);
  return largest;
}

// Object i becomes object order[i]; moved_to[k] is where old object k, or what stands for it, is then.
void reorder(Detections& detections, const std::vector<int>& order, const std::vector<int>& moved_to) {
  std::vector<Object> objects;
  std::vector<float> probs;
  const auto cells = static_cast<std::ptrdiff_t>(detections.masks.size) * detections.masks.size;
  for (const int i : order) {
    objects.push_back(std::move(detections.objects[i]));
    if (cells == 0) continue;
    const auto mask = detections.masks.probs.begin() + i * cells;
    probs.insert(probs.end(), mask, mask + cells);
  }
  detections.objects = std::move(objects);
  detections.masks.probs = std::move(probs);
  for (PanopticSegment& segment : detections.segments)
    if (segment.object >= 0) segment.object = moved_to[segment.object];
}

void sort_by_score(Detections& detections) {
  std::vector<int> order(detections.objects.size()), moved_to(order.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](int i) { return detections.objects[i].score; });
  for (size_t i = 0; i < order.size(); i++) moved_to[order[i]] = static_cast<int>(i);
  reorder(detections, order, moved_to);
}

// Whether a border of the region that is none of the frame's may have cut the object.
bool is_cut(const Object& object, const Detections& detections) {
  constexpr float kTouches = 2;  // pixels
  const FrameRect& rect = detections.regions[object.region].rect;
  const auto near = [&](float edge, int border, int bound) {
    return border > 0 && border < bound && std::abs(edge - static_cast<float>(border)) <= kTouches;
  };
  return near(object.box.x1, rect.x, detections.width) || near(object.box.y1, rect.y, detections.height) ||
         near(object.box.x2, rect.x + rect.width, detections.width) ||
         near(object.box.y2, rect.y + rect.height, detections.height);
}

// Area that both share, over that of `a`.
float covered(const Box& a, const Box& b) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return width <= 0 || height <= 0 ? 0 : width * height / a.area(0);
}

}  // namespace

Detections merge_regions(std::span<const std::shared_ptr<const Detections>> seen,
                         std::span<const Region> regions, const FrameSize& frame) {
  Detections all;
  all.width = frame.width;
  all.height = frame.height;
  for (size_t i = 0; i < seen.size(); i++) {
    const Detections& part = *seen[i];
    const FrameRect& rect = regions[i].rect;
    const int ids = largest_id(all);
    add_map(part.semantic, rect, 0, -1, frame, all.semantic);
    add_map(part.panoptic, rect, ids, 0, frame, all.panoptic);
    add_segments(part, ids, static_cast<int>(all.objects.size()), all);
    add_objects(part, static_cast<int>(i), static_cast<float>(rect.x), static_cast<float>(rect.y), all);
    all.regions.push_back({rect, regions[i].parent, part.classes});
    for (const RawTensor& raw : part.raw) {
      all.raw.push_back(raw);
      all.raw.back().name = fmt::format("{}:{}", i, raw.name);
    }
    all.labels = part.labels;
  }
  sort_by_score(all);
  return all;
}

void suppress_across_regions(Detections& detections, float threshold) {
  const auto& objects = detections.objects;
  std::vector<int> order(objects.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<char> cut(objects.size());
  std::ranges::transform(objects, cut.begin(),
                         [&](const Object& object) { return is_cut(object, detections) ? 1 : 0; });
  // Whole ones go before cut ones.
  std::stable_partition(order.begin(), order.end(), [&](int i) { return cut[i] == 0; });
  std::vector<int> kept, stands_for(objects.size());
  for (const int i : order) {
    const auto twin = std::ranges::find_if(kept, [&](int k) {
      const Object &a = objects[i], &b = objects[k];
      if (a.class_id != b.class_id || a.region == b.region) return false;
      return iou(a.box, b.box, 0) > threshold || (cut[i] != 0 && covered(a.box, b.box) > threshold);
    });
    stands_for[i] = twin == kept.end() ? i : *twin;
    if (twin == kept.end()) kept.push_back(i);
  }
  std::ranges::sort(kept);  // they were best first
  std::vector<int> moved_to(objects.size());
  for (size_t i = 0; i < objects.size(); i++)
    moved_to[i] = static_cast<int>(std::ranges::lower_bound(kept, stands_for[i]) - kept.begin());
  reorder(detections, kept, moved_to);
}

}  // namespace caffe2rt
