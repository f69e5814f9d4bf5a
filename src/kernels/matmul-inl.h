// A matrix product by packed panels, for the kernels that are compiled once a vector width: included by them,
// once each width.
#if defined(CAFFE2RT_MATMUL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAFFE2RT_MATMUL_INL_H
#undef CAFFE2RT_MATMUL_INL_H
#else
#define CAFFE2RT_MATMUL_INL_H
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/matmul_panel.h"
#include "kernels/tile_heights.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::matmul {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

constexpr size_t kVectors = 2;  // of a tile's row
constexpr size_t kLanes = hn::MaxLanes(Tag());
constexpr size_t kWide = kVectors * kLanes;  // columns of a tile, and of a panel
static_assert(kWidestPanel % kWide == 0);
// Rows of a tile: as many as keep all sums in registers.
constexpr size_t kRows = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM ? 14 : 6;

// Rows of a matrix, each of `parts` times `depth` numbers.
struct Rows {
  const float* first;
  size_t step;  // from one row to the next
  size_t depth;
  size_t parts = 1, part_step = 0;  // from one part of a row to the next
  // Rows that will be multiplied next, `step` apart too, to be fetched meanwhile; or null.
  const float* ahead = nullptr;

  HWY_INLINE void skip(size_t rows) { first += rows * step; }
  // A line of one of `count` rows ahead, at each step along the depth another.
  HWY_INLINE void fetch_ahead(size_t k, size_t count) const {
    constexpr size_t kLine = 16;  // floats
    if (ahead && k % kLine < count) hwy::Prefetch(ahead + k % kLine * step + k / kLine * kLine);
  }
};

// The sums of a tile: kHeight rows by kWidth vectors of each of a panel's rows. `ends` says what sums begin
// with, `Vec begin(row, column)`, and takes them, `end(row, column, sum)`; columns are counted from the
// tile's first.
template <size_t kHeight, size_t kWidth, class Ends>
HWY_INLINE void multiply_tile(const Rows& rows, const float* HWY_RESTRICT panel, const Ends& ends) {
  const Tag tag;
  const size_t step = rows.step, depth = rows.depth;
  Vec sum[kHeight][kWidth];
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < kWidth; v++) sum[r][v] = ends.begin(r, v * kLanes);
  for (size_t part = 0; part < rows.parts; part++, panel += depth * kWide) {
    const float* HWY_RESTRICT a = rows.first + part * rows.part_step;
    for (size_t k = 0; k < depth; k++) {
      rows.fetch_ahead(k, kHeight);
      Vec b[kWidth];
#pragma GCC unroll 2
      for (size_t v = 0; v < kWidth; v++) b[v] = hn::Load(tag, panel + k * kWide + v * hn::Lanes(tag));
#pragma GCC unroll 16
      for (size_t r = 0; r < kHeight; r++) {
        const Vec x = hn::Set(tag, a[r * step + k]);
#pragma GCC unroll 2
        for (size_t v = 0; v < kWidth; v++) sum[r][v] = hn::MulAdd(x, b[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (size_t v = 0; v < kWidth; v++) ends.end(r, v * kLanes, sum[r][v]);
}

template <size_t kHeight, size_t kWidth, class Ends>
HWY_NOINLINE void multiply_tile_of(const Rows& rows, const float* panel, const Ends& ends) {
  multiply_tile<kHeight, kWidth>(rows, panel, ends);
}

// multiply_tile_of() by height - 1.
template <size_t kWidth, class Ends>
constexpr auto tiles_by_height = by_height<kRows>([]<size_t kHeight> {
  return &multiply_tile_of<kHeight, kWidth, Ends>;
});

inline size_t next_height(size_t rows) { return caffe2rt::next_height(rows, kRows); }

// `count` rows by one tile's columns; `ends` of the first tile, which has void skip(size_t rows).
template <size_t kWidth, class Ends>
HWY_INLINE void multiply_column(Rows rows, size_t count, const float* panel, Ends ends) {
  for (size_t height = 0; count > 0; count -= height) {
    height = next_height(count);
    tiles_by_height<kWidth, Ends>[height - 1](rows, panel, ends);
    rows.skip(height);
    ends.skip(height);
  }
}

// Sums that begin with zero and are written to c.
struct Store {
  float* c;
  size_t step;

  HWY_INLINE Vec begin(size_t, size_t) const { return hn::Zero(Tag()); }
  HWY_INLINE void end(size_t row, size_t column, Vec sum) const {
    hn::StoreU(sum, Tag(), c + row * step + column);
  }
};

// c (count,columns, rounded up to whole vectors) = rows (count,depth) * packed (panels,depth,kWide), which
// lies on a boundary of 64 bytes.
inline void multiply(Rows rows, size_t count, const float* packed, size_t columns, float* c, size_t c_step) {
  for (size_t height = 0; count > 0; count -= height, c += height * c_step) {
    height = next_height(count);
    for (size_t column = 0; column < columns; column += kWide) {
      const float* panel = packed + column * rows.depth;
      const auto& tiles =
          columns - column > kLanes ? tiles_by_height<kVectors, Store> : tiles_by_height<1, Store>;
      tiles[height - 1](rows, panel, Store{c + column, c_step});
    }
    rows.skip(height);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::matmul
HWY_AFTER_NAMESPACE();

#endif
