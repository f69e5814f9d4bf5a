#include "geometry/paste_mask.h"

#include <algorithm>

#include "geometry/mask_axis.h"
#include "kernels/paste_rows.h"

namespace caffe2rt {
namespace {

constexpr int kBorder = 2;  // cells of value 0 around a mask, so that no neighbour needs a check

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

// The pixels of one axis of a frame that a mask may cover, and between which cells each lies.
struct Axis {
  int first, count;
  Row<int> low;
  Row<float> low_weight, high_weight;

  explicit Axis(const MaskAxis& axis)
      : first(axis.first), count(axis.count), low(count), low_weight(count), high_weight(count) {
    paste::find_cells({axis.begin, axis.end, axis.size, kBorder}, first, count,
                      {low.data(), low_weight.data(), high_weight.data()});
  }
};

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

PastedMask paste_mask(const SoftMask& soft, const Box& box, FrameSize frame, float threshold) {
  PastedMask mask;
  if (!(box.width() > 0 && box.height() > 0)) return mask;
  const Axis columns(MaskAxis(soft.pasting, box.x1, box.x2, soft.size, frame.width));
  const Axis rows(MaskAxis(soft.pasting, box.y1, box.y2, soft.size, frame.height));
  mask = {columns.first, rows.first, columns.count, rows.count, {}};
  mask.pixels.resize(static_cast<size_t>(columns.count) * rows.count);

  const int side = soft.size + 2 * kBorder;
  const auto cells = with_border(soft.probs, soft.size);
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
