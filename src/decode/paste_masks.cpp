#include "decode/paste_masks.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace caffe2rt {
namespace {

constexpr int kBorder = 2;         // cells of value 0 around a mask, so that no neighbour needs a check
constexpr float kFarthest = 1e6F;  // from a frame's corner that a box may lie, pixels

// Where a row or column of pixels lies between two rows or columns of mask cells.
struct Tap {
  int low = 0;  // first of the two, counted with the border
  float low_weight = 0, high_weight = 0;
};

// Taps of the pixels [first, first + count) for a mask of `size` cells stretched from `begin` to `end`. The
// steps are those of detectron2's grid and of grid_sample with align_corners=False, in the same precision.
std::vector<Tap> make_taps(int first, int count, float begin, float end, int size) {
  std::vector<Tap> taps(count);
  for (int i = 0; i < count; i++) {
    const float grid = (static_cast<float>(first + i) + 0.5F - begin) / (end - begin) * 2 - 1;
    const float cell = (grid + 1) * (static_cast<float>(size) / 2) - 0.5F;
    const float low = std::floor(cell);
    const float inside =
        low >= -kBorder ? std::min(low, static_cast<float>(size)) : -kBorder;  // NaN is outside
    taps[i] = {static_cast<int>(inside) + kBorder, 1 - (cell - low), cell - low};
  }
  return taps;
}

int clamp_to_int(float value, int high) {
  return static_cast<int>(std::clamp(value, 0.0F, static_cast<float>(high)));
}

// The pixels [first, first + count) of one axis of a frame that a mask may cover, and their taps.
struct Axis {
  int first = 0;
  std::vector<Tap> taps;
};

Axis subpixel_axis(float begin, float end, int size, int frame) {
  const int first = clamp_to_int(std::floor(begin) - 1, frame);
  const int count = std::max(0, clamp_to_int(std::ceil(end) + 1, frame) - first);
  return {first, make_taps(first, count, begin, end, size)};
}

// The mask with a cell of padding on each side is resized to as many whole pixels as its box, widened by that
// padding and with both ends cut down, counts both ends included.
Axis integer_axis(float begin, float end, int size, int frame) {
  const float padded = static_cast<float>(size + 2) / static_cast<float>(size);
  const float centre = (end + begin) * 0.5F, half = (end - begin) * 0.5F * padded;
  const float low = std::trunc(centre - half), high = std::max(low, std::trunc(centre + half)) + 1;
  if (!(std::abs(low) < kFarthest && std::abs(high) < kFarthest)) return {};
  const int first = clamp_to_int(low, frame), count = std::max(0, clamp_to_int(high, frame) - first);
  // Without the padding the mask lies a cell further in.
  const float cell = (high - low) / static_cast<float>(size + 2);
  return {first, make_taps(first, count, low + cell, high - cell, size)};
}

// A mask with its border: rows of `size + 2 * kBorder` cells.
std::vector<float> with_border(const float* probs, int size) {
  const int side = size + 2 * kBorder;
  std::vector<float> cells(static_cast<size_t>(side) * side);
  for (int y = 0; y < size; y++)
    std::copy_n(probs + y * size, size, cells.begin() + (y + kBorder) * side + kBorder);
  return cells;
}

// One row of mask cells, looked up for every column of pixels.
struct ExpandedRow {
  int row = -1;
  std::vector<float> low, high;  // by column

  void expand(int wanted, const std::vector<float>& cells, int side, const std::vector<Tap>& columns) {
    if (row == wanted) return;
    row = wanted;
    low.resize(columns.size());
    high.resize(columns.size());
    const float* from = cells.data() + static_cast<size_t>(row) * side;
    for (size_t x = 0; x < columns.size(); x++) {
      low[x] = from[columns[x].low];
      high[x] = from[columns[x].low + 1];
    }
  }
};

}  // namespace

PastedMask paste_mask(const Detections& detections, int index, float threshold) {
  const int size = detections.masks.size;
  const size_t area = static_cast<size_t>(size) * size;
  require(index >= 0 && static_cast<size_t>(index) < detections.objects.size(), ErrorCode::kArgument,
          "mask: expected an object below {}, got {}", detections.objects.size(), index);
  require(size > 0 && detections.masks.probs.size() >= (index + 1) * area, ErrorCode::kArgument,
          "mask: object {} has none", index);
  const Box& box = detections.objects[index].box;
  PastedMask mask;
  if (!(box.width() > 0 && box.height() > 0)) return mask;
  const auto axis = detections.masks.pasting == MaskPasting::kSubpixel ? subpixel_axis : integer_axis;
  const auto [x, columns] = axis(box.x1, box.x2, size, detections.width);
  const auto [y, rows] = axis(box.y1, box.y2, size, detections.height);
  mask = {x, y, static_cast<int>(columns.size()), static_cast<int>(rows.size()), {}};
  mask.pixels.resize(columns.size() * rows.size());

  const auto cells = with_border(detections.masks.probs.data() + index * area, size);
  std::vector<float> low_weight(columns.size()), high_weight(columns.size());
  for (size_t i = 0; i < columns.size(); i++) {
    low_weight[i] = columns[i].low_weight;
    high_weight[i] = columns[i].high_weight;
  }
  ExpandedRow upper, lower;
  for (int j = 0; j < mask.height; j++) {
    const Tap& row = rows[j];
    if (lower.row == row.low) std::swap(upper, lower);
    upper.expand(row.low, cells, size + 2 * kBorder, columns);
    lower.expand(row.low + 1, cells, size + 2 * kBorder, columns);
    std::uint8_t* to = mask.pixels.data() + static_cast<size_t>(j) * mask.width;
    for (int i = 0; i < mask.width; i++) {
      const float value = upper.low[i] * (low_weight[i] * row.low_weight) +
                          upper.high[i] * (high_weight[i] * row.low_weight) +
                          lower.low[i] * (low_weight[i] * row.high_weight) +
                          lower.high[i] * (high_weight[i] * row.high_weight);
      to[i] = value >= threshold ? 255 : 0;
    }
  }
  return mask;
}

}  // namespace caffe2rt
