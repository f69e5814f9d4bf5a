#include "kernels/paste_rows.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/paste_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::paste {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kRoom>;
using Vec = hn::Vec<Floats>;

void FindCells(const Stretch& stretch, int first, size_t count, const Places& places) {
  const Floats floats;
  const hn::RebindToSigned<Floats> longs;
  const auto set = [&](float value) { return hn::Set(floats, value); };
  const float size = static_cast<float>(stretch.size), border = static_cast<float>(stretch.border);
  const Vec one = set(1), half = set(0.5F), begin = set(stretch.begin),
            extent = set(stretch.end - stretch.begin);
  for (size_t i = 0; i < count; i += hn::Lanes(floats)) {
    const Vec pixel = hn::ConvertTo(floats, hn::Iota(longs, first + static_cast<int>(i)));
    const Vec grid = hn::Sub(hn::Mul(hn::Div(hn::Sub(hn::Add(pixel, half), begin), extent), set(2)), one);
    const Vec cell = hn::Sub(hn::Mul(hn::Add(grid, one), set(size / 2)), half), low = hn::Floor(cell);
    const auto inside = hn::Ge(low, set(-border));  // NaN is not
    const Vec index = hn::IfThenElse(inside, hn::Min(low, set(size)), set(-border));
    hn::StoreU(hn::ConvertTo(longs, hn::Add(index, set(border))), longs, places.low + i);
    hn::StoreU(hn::Sub(one, hn::Sub(cell, low)), floats, places.low_weight + i);
    hn::StoreU(hn::Sub(cell, low), floats, places.high_weight + i);
  }
}

void Spread(const float* values, const int* starts, int runs, float* to) {
  const Floats floats;
  const int lanes = static_cast<int>(hn::Lanes(floats));
  // What goes beyond a run is overwritten by the next.
  for (int i = 0; i < runs; i++) {
    const Vec value = hn::Set(floats, values[i]);
    for (int x = starts[i]; x < starts[i + 1]; x += lanes) hn::StoreU(value, floats, to + x);
  }
}

// kRows rows at a time: what they share is read once. The width is a vector's at least.
template <int kRows>
void threshold_few(const Cells cells, const RowWeights& weights, size_t width, float threshold,
                   std::uint8_t* to) {
  const Floats floats;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const Vec least = hn::Set(floats, threshold);
  const size_t lanes = hn::Lanes(floats);
  for (size_t next = 0; next < width; next += lanes) {
    const size_t i = std::min(next, width - lanes);  // at the end some pixels are computed twice
    const auto load = [&](const float* row) { return hn::LoadU(floats, row + i); };
    const Vec left = load(cells.left_weight), right = load(cells.right_weight),
              upper_left = load(cells.upper_left), upper_right = load(cells.upper_right),
              lower_left = load(cells.lower_left), lower_right = load(cells.lower_right);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r++) {
      const Vec upper = hn::Set(floats, weights.upper[r]), lower = hn::Set(floats, weights.lower[r]);
      Vec sum =
          hn::Add(hn::Mul(upper_left, hn::Mul(left, upper)), hn::Mul(upper_right, hn::Mul(right, upper)));
      sum = hn::Add(sum, hn::Mul(lower_left, hn::Mul(left, lower)));
      sum = hn::Add(sum, hn::Mul(lower_right, hn::Mul(right, lower)));
      std::uint8_t bits[8] = {};
      hn::StoreMaskBits(floats, hn::Ge(sum, least), bits);
      hn::StoreU(hn::VecFromMask(bytes, hn::LoadMaskBits(bytes, bits)), bytes, to + r * width + i);
    }
  }
}

void ThresholdRows(const Cells& cells, const RowWeights& weights, int rows, size_t width, float threshold,
                   std::uint8_t* to) {
  const size_t lanes = hn::Lanes(Floats());
  if (width < lanes) {
    for (int r = 0; r < rows; r++) {
      std::uint8_t row[kRoom];
      threshold_few<1>(cells, weights.from(r), lanes, threshold, row);
      std::copy_n(row, width, to + r * width);
    }
    return;
  }
  int r = 0;
  for (; r + 2 <= rows; r += 2) threshold_few<2>(cells, weights.from(r), width, threshold, to + r * width);
  if (r < rows) threshold_few<1>(cells, weights.from(r), width, threshold, to + r * width);
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::paste
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::paste {

HWY_EXPORT(FindCells);
HWY_EXPORT(Spread);
HWY_EXPORT(ThresholdRows);

void find_cells(const Stretch& stretch, int first, size_t count, const Places& places) {
  HWY_DYNAMIC_DISPATCH(FindCells)(stretch, first, count, places);
}

void spread(const float* values, const int* starts, int runs, float* to) {
  HWY_DYNAMIC_DISPATCH(Spread)(values, starts, runs, to);
}

void threshold_rows(const Cells& cells, const RowWeights& weights, int rows, size_t width, float threshold,
                    std::uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(ThresholdRows)(cells, weights, rows, width, threshold, to);
}

}  // namespace caffe2rt::paste
#endif
