#include "tracking/overlap.h"

#include <cmath>
#include <vector>

namespace caffe2rt {
namespace {

constexpr float kInside = 0.5F;

struct Share {
  double all = 0, shared = 0;  // areas, pixels
};

// Which cell of the other mask the middle of each cell lies in, along one axis: -1 where outside.
std::vector<int> cells_in(float from, float side, float other_from, float other_side, int size) {
  std::vector<int> cells(static_cast<size_t>(size));
  for (int i = 0; i < size; i++) {
    const double at = (from + (i + 0.5) * side / size - other_from) / other_side * size;
    cells[i] = at >= 0 && at < size ? static_cast<int>(at) : -1;
  }
  return cells;
}

// Of mask a: its area, and what of it lies in mask b.
Share share_of(const Box& a, std::span<const float> mask_a, const Box& b, std::span<const float> mask_b,
               int size) {
  const std::vector<int> rows = cells_in(a.y1, a.height(), b.y1, b.height(), size);
  const std::vector<int> columns = cells_in(a.x1, a.width(), b.x1, b.width(), size);
  long all = 0, shared = 0;
  for (int y = 0; y < size; y++) {
    const float* row_a = &mask_a[static_cast<size_t>(y) * size];
    for (int x = 0; x < size; x++) all += row_a[x] >= kInside;
    if (rows[y] < 0) continue;
    const float* row_b = &mask_b[static_cast<size_t>(rows[y]) * size];
    for (int x = 0; x < size; x++)
      shared += columns[x] >= 0 && row_a[x] >= kInside && row_b[columns[x]] >= kInside;
  }
  const double cell = static_cast<double>(a.width()) * a.height() / size / size;
  return {all * cell, shared * cell};
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
