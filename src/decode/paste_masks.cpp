#include "decode/paste_masks.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace caffe2rt {
namespace {

constexpr int kBorder = 2;  // cells of value 0 around a mask, so that no neighbour needs a check

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
  mask.x = clamp_to_int(std::floor(box.x1) - 1, detections.width);
  mask.y = clamp_to_int(std::floor(box.y1) - 1, detections.height);
  mask.width = std::max(0, clamp_to_int(std::ceil(box.x2) + 1, detections.width) - mask.x);
  mask.height = std::max(0, clamp_to_int(std::ceil(box.y2) + 1, detections.height) - mask.y);
  mask.pixels.resize(static_cast<size_t>(mask.width) * mask.height);

  const auto columns = make_taps(mask.x, mask.width, box.x1, box.x2, size);
  const auto rows = make_taps(mask.y, mask.height, box.y1, box.y2, size);
  const auto cells = with_border(detections.masks.probs.data() + index * area, size);
  std::vector<float> low_weight(columns.size()), high_weight(columns.size());
  for (size_t x = 0; x < columns.size(); x++) {
    low_weight[x] = columns[x].low_weight;
    high_weight[x] = columns[x].high_weight;
  }
  ExpandedRow upper, lower;
  for (int y = 0; y < mask.height; y++) {
    const Tap& row = rows[y];
    if (lower.row == row.low) std::swap(upper, lower);
    upper.expand(row.low, cells, size + 2 * kBorder, columns);
    lower.expand(row.low + 1, cells, size + 2 * kBorder, columns);
    std::uint8_t* to = mask.pixels.data() + static_cast<size_t>(y) * mask.width;
    for (int x = 0; x < mask.width; x++) {
      const float value = upper.low[x] * (low_weight[x] * row.low_weight) +
                          upper.high[x] * (high_weight[x] * row.low_weight) +
                          lower.low[x] * (low_weight[x] * row.high_weight) +
                          lower.high[x] * (high_weight[x] * row.high_weight);
      to[x] = value >= threshold ? 255 : 0;
    }
  }
  return mask;
}

}  // namespace caffe2rt
