#include "geometry/box.h"

#include <algorithm>

#include "geometry/rotated_overlap.h"

namespace caffe2rt {

float iou(const Box& a, const Box& b, float one) {
  const float w = std::max(std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + one, 0.0F);
  const float h = std::max(std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + one, 0.0F);
  const float shared = w * h;
  return shared / (a.area(one) + b.area(one) - shared);
}

double intersection_area(const RotatedBox& a, const RotatedBox& b) { return rotated::shared_area(a, b); }

float iou(const RotatedBox& a, const RotatedBox& b) { return rotated::overlap(a, b); }

}  // namespace caffe2rt
