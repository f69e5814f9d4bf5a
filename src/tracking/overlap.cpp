#include "tracking/overlap.h"

#include <cmath>

namespace caffe2rt {
namespace {

constexpr float kInside = 0.5F;

struct Share {
  double all = 0, shared = 0;  // areas, pixels
};

// Of mask a: its area, and what of it lies in mask b.
Share share_of(const Box& a, std::span<const float> mask_a, const Box& b, std::span<const float> mask_b,
               int size) {
  const double cell_w = a.width() / double(size), cell_h = a.height() / double(size);
  long all = 0, shared = 0;
  for (int y = 0; y < size; y++) {
    const double row = (a.y1 + (y + 0.5) * cell_h - b.y1) / b.height() * size;
    for (int x = 0; x < size; x++) {
      if (mask_a[y * size + x] < kInside) continue;
      all++;
      const double column = (a.x1 + (x + 0.5) * cell_w - b.x1) / b.width() * size;
      if (row >= 0 && row < size && column >= 0 && column < size)
        shared += mask_b[static_cast<int>(row) * size + static_cast<int>(column)] >= kInside;
    }
  }
  return {all * cell_w * cell_h, shared * cell_w * cell_h};
}

}  // namespace

double box_overlap(const Box& a, const Box& b) {
  const float value = iou(a, b, 0);
  return std::isfinite(value) ? value : 0;
}

double box_overlap(const Object& a, const Object& b) {
  if (!a.rotated || !b.rotated) return box_overlap(a.box, b.box);
  const float value = iou(*a.rotated, *b.rotated);
  return std::isfinite(value) ? value : 0;
}

double mask_overlap(const Box& a, std::span<const float> mask_a, const Box& b, std::span<const float> mask_b,
                    int size) {
  const Share of_a = share_of(a, mask_a, b, mask_b, size), of_b = share_of(b, mask_b, a, mask_a, size);
  const double shared = (of_a.shared + of_b.shared) / 2, either = of_a.all + of_b.all - shared;
  return either > 0 ? shared / either : 0;
}

}  // namespace caffe2rt
