#include "decode/mapped.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace caffe2rt {
namespace {

struct Rect {
  int x1, y1, x2, y2;
};

Rect pixels_of(const Box& box, int width, int height) {
  const auto clip = [](float value, int most) { return static_cast<int>(std::clamp<float>(value, 0, most)); };
  return {clip(std::floor(box.x1), width), clip(std::floor(box.y1), height), clip(std::ceil(box.x2), width),
          clip(std::ceil(box.y2), height)};
}

// Calls f(i, then) for every pixel of the rectangle, i counting row-major in it, then being where its centre
// was.
template <class F>
void for_each_pixel(const Rect& rect, const Affine& map, F&& f) {
  const Affine back = map.inverse();
  size_t i = 0;
  for (int y = rect.y1; y < rect.y2; y++)
    for (int x = rect.x1; x < rect.x2; x++, i++) f(i, back(x + 0.5, y + 0.5));
}

}  // namespace

Box map_box(const Box& box, const Affine& map) {
  const Point p[] = {map(box.x1, box.y1), map(box.x2, box.y1), map(box.x2, box.y2), map(box.x1, box.y2)};
  const auto [x1, x2] = std::minmax({p[0].x, p[1].x, p[2].x, p[3].x});
  const auto [y1, y2] = std::minmax({p[0].y, p[1].y, p[2].y, p[3].y});
  return {static_cast<float>(x1), static_cast<float>(y1), static_cast<float>(x2), static_cast<float>(y2)};
}

RotatedBox map_box(const RotatedBox& box, const Affine& map) {
  constexpr double kDegree = std::numbers::pi / 180;
  const double c = std::cos(box.angle * kDegree), s = std::sin(box.angle * kDegree);
  const Affine linear{map.xx, map.xy, 0, map.yx, map.yy, 0};
  const Point centre = map(box.cx, box.cy), across = linear(c, -s), down = linear(s, c);
  return {static_cast<float>(centre.x), static_cast<float>(centre.y),
          static_cast<float>(box.width * std::hypot(across.x, across.y)),
          static_cast<float>(box.height * std::hypot(down.x, down.y)),
          static_cast<float>(std::atan2(down.x, down.y) / kDegree)};
}

std::array<Point, 4> map_corners(const Object& object, const Affine& map) {
  if (!object.rotated) {
    const Box& b = object.box;
    return {map(b.x1, b.y1), map(b.x2, b.y1), map(b.x2, b.y2), map(b.x1, b.y2)};
  }
  const RotatedBox b = map_box(*object.rotated, map);
  const double angle = b.angle * std::numbers::pi / 180, c = std::cos(angle) / 2, s = std::sin(angle) / 2;
  const Affine around{c, s, b.cx, -s, c, b.cy};
  return {around(-b.width, -b.height), around(b.width, -b.height), around(b.width, b.height),
          around(-b.width, b.height)};
}

PastedMask paste_mapped_mask(const Detections& detections, int index, const Affine& map, int width,
                             int height, float threshold) {
  require(index >= 0 && static_cast<size_t>(index) < detections.objects.size() && detections.masks.size > 0,
          ErrorCode::kArgument, "expected an object with a mask, got object {} of {} with masks of side {}",
          index, detections.objects.size(), detections.masks.size);
  if (map.only_scales_and_shifts()) {
    Detections one;
    one.width = width;
    one.height = height;
    one.objects = {detections.objects[index]};
    one.objects[0].box = map_box(one.objects[0].box, map);
    const auto values = static_cast<ptrdiff_t>(detections.masks.size) * detections.masks.size;
    const auto first = detections.masks.probs.begin() + index * values;
    one.masks = {detections.masks.size, {first, first + values}, detections.masks.pasting};
    return paste_mask(one, 0, threshold);
  }
  const PastedMask then = paste_mask(detections, index, threshold);
  const Box box{static_cast<float>(then.x), static_cast<float>(then.y),
                static_cast<float>(then.x + then.width), static_cast<float>(then.y + then.height)};
  const Rect rect = pixels_of(map_box(box, map), width, height);
  PastedMask now{rect.x1, rect.y1, rect.x2 - rect.x1, rect.y2 - rect.y1, {}};
  now.pixels.resize(static_cast<size_t>(now.width) * now.height);
  for_each_pixel(rect, map, [&](size_t i, Point p) {
    const double x = std::floor(p.x) - then.x, y = std::floor(p.y) - then.y;
    if (x >= 0 && y >= 0 && x < then.width && y < then.height)
      now.pixels[i] = then.pixels[static_cast<size_t>(y) * then.width + static_cast<size_t>(x)];
  });
  return now;
}

LabelMap map_labels(const LabelMap& labels, const Affine& map, int width, int height) {
  LabelMap now{width, height, std::vector<std::int32_t>(static_cast<size_t>(width) * height)};
  for_each_pixel({0, 0, width, height}, map, [&](size_t i, Point p) {
    if (p.x >= 0 && p.y >= 0 && p.x < labels.width && p.y < labels.height)
      now.ids[i] = labels.ids[static_cast<size_t>(p.y) * labels.width + static_cast<size_t>(p.x)];
  });
  return now;
}

}  // namespace caffe2rt
