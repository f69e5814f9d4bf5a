// The sums of products of a tile, for the kernels that multiply small numbers on vectors of any processor:
// included by them, once each vector width.
#if defined(CAFFE2RT_SUM_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAFFE2RT_SUM_TILE_INL_H
#undef CAFFE2RT_SUM_TILE_INL_H
#else
#define CAFFE2RT_SUM_TILE_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/tile_heights.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::sum_tile {
namespace HWY_NAMESPACE {

// Rows of a tile: as many as keep all sums in registers.
constexpr size_t kRows = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM ? 14 : 6;

// What the sums of a tile are added to, and where they go, each of 32 bits; from one row to the next.
struct Sums {
  const float* begin;
  float* end;
  size_t begin_step, end_step;
};

// Left to itself, GCC has not enough registers for the sums: it reads all rows first, and keeps second copies
// of sums for what comes after the loop. Here a row is done with, and there the loop.
#if defined(__GNUC__) && HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
template <class Sum>
HWY_INLINE void keep_in_order(const Sum& a, const Sum& b) {
  asm volatile("" ::"x"(a.raw), "x"(b.raw));
}
template <class Sum>
HWY_INLINE void part_with(Sum& a, Sum& b) {
  asm volatile("" : "+x"(a.raw), "+x"(b.raw));
}
#else
template <class Sum>
HWY_INLINE void keep_in_order(const Sum&, const Sum&) {}
template <class Sum>
HWY_INLINE void part_with(Sum&, Sum&) {}
#endif

// kHeight rows by two vectors. Dot says how neighbours along the depth, a group, are multiplied, in kSteps
// each: a row has them in kWords words, a panel, from one to the next `panel_step`, in one word
// each of its columns.
//
//   Sum zero();                                             a vector, of kColumns columns
//   auto numbers(const int32_t* group, size_t step);        of a row, in every lane
//   auto weights(const int32_t* groups, size_t step);       of kColumns columns
//   Sum dot(numbers, weights, Sum);
//   void store(Sum, Sum, const float* begin, float* end);   a sum a column, of 2 * kColumns of them
template <class Dot, size_t kHeight>
HWY_NOINLINE void multiply_tile(const int32_t* a, size_t step, const int32_t* panel, size_t panel_step,
                                size_t groups, const Sums& sums) {
  typename Dot::Sum left[kHeight], right[kHeight];
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++) left[r] = right[r] = Dot::zero();
  for (size_t k = 0; k < groups; k++, panel += panel_step)
#pragma GCC unroll 2
    for (size_t s = 0; s < Dot::kSteps; s++) {
      const auto w_left = Dot::weights(panel, s), w_right = Dot::weights(panel + Dot::kColumns, s);
#pragma GCC unroll 16
      for (size_t r = 0; r < kHeight; r++) {
        const auto x = Dot::numbers(a + r * step + k * Dot::kWords, s);
        left[r] = Dot::dot(x, w_left, left[r]);
        right[r] = Dot::dot(x, w_right, right[r]);
        keep_in_order(left[r], right[r]);
      }
    }
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++) part_with(left[r], right[r]);
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++)
    Dot::store(left[r], right[r], sums.begin + r * sums.begin_step, sums.end + r * sums.end_step);
}

// multiply_tile() by height - 1.
template <class Dot>
constexpr auto tiles_by_height = by_height<kRows>([]<size_t kHeight> {
  return &multiply_tile<Dot, kHeight>;
});

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::sum_tile
HWY_AFTER_NAMESPACE();

#endif
