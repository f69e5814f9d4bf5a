// Products of 16 bit integers on vectors of any processor: two and two of them at a time.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/int16_vectors.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/int16_rows.h"
#include "kernels/sum_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::int16_product {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace st = sum_tile::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

float Quantize(const float* row, size_t count, std::int16_t* to) { return quantize_plainly(row, count, to); }
void Multiply(const Problem& p) { multiply_plainly(p); }

#else

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using Integers = hn::Rebind<int32_t, Tag>;
using Halves = hn::Repartition<int16_t, Integers>;

constexpr size_t kLanes = hn::MaxLanes(Tag());

float Quantize(const float* row, size_t count, std::int16_t* to) {
  const Tag tag;
  const size_t whole = count / kLanes * kLanes;
  Vec sums = hn::Zero(tag);
  for (size_t i = 0; i < whole; i += kLanes) {
    const Vec v = hn::LoadU(tag, row + i);
    sums = hn::MulAdd(v, v, sums);
  }
  float squares = hn::GetLane(hn::SumOfLanes(tag, sums));
  for (size_t i = whole; i < count; i++) squares += row[i] * row[i];
  const float length = std::sqrt(squares), inverse = inverse_of(length);
  // A row that is not finite is one of zeros: times its scale, no numbers.
  if (inverse == 0) {
    std::fill_n(to, 2 * pairs_of(count), std::int16_t{0});
    return scale_of(length);
  }
  const Vec scale = hn::Set(tag, inverse);
  const hn::Rebind<int16_t, Tag> halves;
  for (size_t i = 0; i < whole; i += kLanes)
    hn::StoreU(hn::DemoteTo(halves, hn::NearestInt(hn::Mul(hn::LoadU(tag, row + i), scale))), halves, to + i);
  for (size_t i = whole; i < count; i++) to[i] = round_to_int16(row[i], inverse);
  if (count % 2 != 0) to[count] = 0;
  return scale_of(length);
}

// Of a pair of integers one sum a lane.
struct Dot {
  using Sum = hn::Vec<Integers>;
  static constexpr size_t kWords = 1, kSteps = 1, kColumns = kLanes;

  static HWY_INLINE Sum zero() { return hn::Zero(Integers()); }
  static HWY_INLINE hn::Vec<Halves> weights(const int32_t* from, size_t) {
    return hn::BitCast(Halves(), hn::Load(Integers(), from));
  }
  static HWY_INLINE hn::Vec<Halves> numbers(const int32_t* pair, size_t) {
    return hn::BitCast(Halves(), hn::Set(Integers(), *pair));
  }
  static HWY_INLINE Sum dot(hn::Vec<Halves> x, hn::Vec<Halves> w, Sum sum) {
    Sum rest = zero();
    sum = hn::ReorderWidenMulAccumulate(Integers(), x, w, sum, rest);
    return hn::RearrangeToOddPlusEven(sum, rest);
  }
  static HWY_INLINE void store(Sum a, Sum b, const float*, float* to) {
    hn::StoreU(a, Integers(), reinterpret_cast<int32_t*>(to));
    hn::StoreU(b, Integers(), reinterpret_cast<int32_t*>(to) + kLanes);
  }
};

void Multiply(const Problem& p) {
  const Tag tag;
  constexpr size_t kWide = 2 * kLanes;  // columns of a tile
  HWY_ALIGN float local[st::kRows * kWide];
  for (size_t row = 0, height = 0; row < p.rows; row += height) {
    height = next_height(p.rows - row, st::kRows);
    for (size_t column = 0; column < p.columns; column += kWide) {
      st::tiles_by_height<Dot>[height - 1](p.a + row * p.a_step, p.a_step,
                                           p.packed + offset(column, p.pairs, p.panel), p.panel, p.pairs,
                                           {nullptr, local, 0, kWide});
      for (size_t v = 0; v < kWide; v += kLanes) {
        const Vec scales = hn::LoadU(tag, p.column_scales + column + v);
        for (size_t r = 0; r < height; r++) {
          const auto sums = hn::Load(Integers(), reinterpret_cast<const int32_t*>(local + r * kWide + v));
          const Vec scale = hn::Mul(scales, hn::Set(tag, p.row_scales[row + r]));
          hn::StoreU(hn::Mul(hn::ConvertTo(tag, sums), scale), tag, p.c + (row + r) * p.c_step + column + v);
        }
      }
    }
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::int16_product
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::int16_product {

HWY_EXPORT(Quantize);
HWY_EXPORT(Multiply);

float quantize_by_vectors(const float* row, size_t count, std::int16_t* to) {
  return HWY_DYNAMIC_DISPATCH(Quantize)(row, count, to);
}

void multiply_by_vectors(const Problem& problem) { HWY_DYNAMIC_DISPATCH(Multiply)(problem); }

}  // namespace caffe2rt::int16_product
#endif
