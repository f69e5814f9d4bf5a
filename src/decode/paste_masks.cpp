#include "decode/paste_masks.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/paste_rows.h"

namespace caffe2rt {
namespace {

constexpr int kBorder = 2;         // cells of value 0 around a mask, so that no neighbour needs a check
constexpr float kFarthest = 1e6F;  // from a frame's corner that a box may lie, pixels

// A row of numbers with the room that the kernels want, on a boundary of 64 bytes.
template <class T>
class Row {
 public:
  explicit Row(size_t size = 0) : size_(size), blocks_((size + paste::kRoom + kBlock - 1) / kBlock) {}
  size_t size() const { return size_; }
  T* data() { return blocks_.data()->values; }
  const T* data() const { return blocks_.data()->values; }
  const T& operator[](size_t i) const { return data()[i]; }

 private:
  static constexpr size_t kBlock = 16;
  struct alignas(kBlock * sizeof(T)) Block {
    T values[kBlock];
  };
  size_t size_;
  std::vector<Block> blocks_;
};

int clamp_to_int(float value, int high) {
  return static_cast<int>(std::clamp(value, 0.0F, static_cast<float>(high)));
}

// The pixels of one axis of a frame that a mask may cover, and between which cells each lies.
struct Axis {
  int first = 0, count = 0;
  Row<int> low;
  Row<float> low_weight, high_weight;

  Axis() = default;
  Axis(int first_pixel, int pixels, float begin, float end, int size)
      : first(first_pixel), count(pixels), low(pixels), low_weight(pixels), high_weight(pixels) {
    paste::find_cells({begin, end, size, kBorder}, first, count,
                      {low.data(), low_weight.data(), high_weight.data()});
  }
};

Axis subpixel_axis(float begin, float end, int size, int frame) {
  const int first = clamp_to_int(std::floor(begin) - 1, frame);
  const int count = std::max(0, clamp_to_int(std::ceil(end) + 1, frame) - first);
  return {first, count, begin, end, size};
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
  return {first, count, low + cell, high - cell, size};
}

// A mask with its border: rows of `size + 2 * kBorder` cells.
std::vector<float> with_border(const float* probs, int size) {
  const int side = size + 2 * kBorder;
  std::vector<float> cells(static_cast<size_t>(side) * side);
  for (int y = 0; y < size; y++)
    std::copy_n(probs + y * size, size, cells.begin() + (y + kBorder) * side + kBorder);
  return cells;
}

// By column of cells: the first column of pixels that has it, or a later one, on its left. Neighbours move to
// the right with the pixels.
std::vector<int> find_starts(const Axis& columns, int side) {
  std::vector<int> starts;
  starts.reserve(side);
  for (int i = 0; i < columns.count; i++)
    while (static_cast<int>(starts.size()) <= columns.low[i]) starts.push_back(i);
  starts.resize(side, columns.count);
  return starts;
}

// One row of mask cells, looked up for every column of pixels.
struct ExpandedRow {
  int row = -1;
  Row<float> left, right;  // by column

  explicit ExpandedRow(size_t columns) : left(columns), right(columns) {}

  void expand(int wanted, const std::vector<float>& cells, int side, const std::vector<int>& starts) {
    if (row == wanted) return;
    row = wanted;
    const float* from = cells.data() + static_cast<size_t>(row) * side;
    paste::spread(from, starts.data(), side - 1, left.data());
    paste::spread(from + 1, starts.data(), side - 1, right.data());
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
  const Axis columns = axis(box.x1, box.x2, size, detections.width);
  const Axis rows = axis(box.y1, box.y2, size, detections.height);
  mask = {columns.first, rows.first, columns.count, rows.count, {}};
  mask.pixels.resize(static_cast<size_t>(columns.count) * rows.count);

  const int side = size + 2 * kBorder;
  const auto cells = with_border(detections.masks.probs.data() + index * area, size);
  const auto starts = find_starts(columns, side);
  ExpandedRow upper(columns.count), lower(columns.count);
  for (int first = 0, last = 0; first < rows.count; first = last) {
    const int above = rows.low[first];
    while (last < rows.count && rows.low[last] == above) last++;
    if (lower.row == above) std::swap(upper, lower);
    upper.expand(above, cells, side, starts);
    lower.expand(above + 1, cells, side, starts);
    paste::threshold_rows({upper.left.data(), upper.right.data(), lower.left.data(), lower.right.data(),
                           columns.low_weight.data(), columns.high_weight.data()},
                          {rows.low_weight.data() + first, rows.high_weight.data() + first}, last - first,
                          columns.count, threshold,
                          mask.pixels.data() + static_cast<size_t>(first) * columns.count);
  }
  return mask;
}

}  // namespace caffe2rt
