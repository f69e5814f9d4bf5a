#include "kernels/resize.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resize.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef CAFFE2RT_RESIZE_ROOM
#define CAFFE2RT_RESIZE_ROOM
namespace caffe2rt::resize {

constexpr int kGroup = 4;                // pixels, or weights, that are taken together
constexpr size_t kRoom = 64;             // bytes that a vector reaches beyond the last pixel
constexpr int kBlock = 16;               // bytes
constexpr std::uint8_t kNothing = 0x80;  // a byte of zero, for TableLookupBytesOr0

}  // namespace caffe2rt::resize
#endif

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::resize {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

std::uint8_t level(int sum, int precision) {
  return static_cast<std::uint8_t>(std::min(sum >> precision, 255));
}

void ResizeColumns(const Axis& axis, const std::uint8_t* const* from, std::uint8_t* const* to) {
  for (int row = 0; row < kRowsAtOnce; row++)
    for (int i = 0; i < axis.to * kSampleBytes; i++) {
      const int x = i / kSampleBytes, c = i % kSampleBytes;
      int sum = 1 << (axis.precision - 1);
      for (int t = 0; t < axis.count[x]; t++)
        sum += axis.weights[static_cast<size_t>(x) * axis.taps + t] *
               from[row][static_cast<size_t>(axis.first[x] + t) * kPixelBytes + c];
      to[row][i] = level(sum, axis.precision);
    }
}

void ResizeRows(const Axis& axis, int y, const std::uint8_t* const* from, size_t size, std::uint8_t* to) {
  for (size_t i = 0; i < size; i++) {
    int sum = 1 << (axis.precision - 1);
    for (int t = 0; t < axis.count[y]; t++)
      sum += axis.weights[static_cast<size_t>(y) * axis.taps + t] * from[t][i];
    to[i] = level(sum, axis.precision);
  }
}

void WriteSamples(const std::uint8_t* from, size_t count, float* to) { std::copy_n(from, count, to); }

void DropFourth(const std::uint8_t* from, int width, std::uint8_t* to) {
  for (int i = 0; i < width * kSampleBytes; i++)
    to[i] = from[i / kSampleBytes * kPixelBytes + i % kSampleBytes];
}

#else

// Whole blocks of 16 bytes, at most as many as rows are resized together.
using Bytes = hn::CappedTag<std::uint8_t, kRowsAtOnce * kBlock>;
using Shorts = hn::Repartition<std::int16_t, Bytes>;
using Longs = hn::Repartition<std::int32_t, Bytes>;
using ByteVec = hn::Vec<Bytes>;
using ShortVec = hn::Vec<Shorts>;
using LongVec = hn::Vec<Longs>;
constexpr size_t kLanes = hn::MaxLanes(Bytes());
constexpr size_t kBlocks = kLanes / kBlock;

// sum + a[0] b[0] + a[1] b[1] for every pair of neighbours.
HWY_INLINE LongVec add_products(ShortVec a, ShortVec b, LongVec sum) {
  const Longs tag;
#if HWY_ARCH_X86
  LongVec nothing = hn::Zero(tag);
  return hn::ReorderWidenMulAccumulate(tag, a, b, sum, nothing);
#else
  const auto low = [&](ShortVec v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(hn::BitCast(tag, v))); };
  const auto high = [&](ShortVec v) { return hn::ShiftRight<16>(hn::BitCast(tag, v)); };
  return hn::Add(sum, hn::Add(hn::Mul(low(a), low(b)), hn::Mul(high(a), high(b))));
#endif
}

// Two neighbouring weights for all pairs.
HWY_INLINE ShortVec pair_of(const std::int16_t* weights) {
  std::int32_t pair;
  hwy::CopyBytes<4>(weights, &pair);
  return hn::BitCast(Shorts(), hn::Set(Longs(), pair));
}

// Sums of four, rounded and cut to 0..255 -> one vector of bytes: lane i of a in byte 4 i, of c in byte
// 4 i + 1, of b in byte 4 i + 2, of d in byte 4 i + 3. Weights are positive: no sum is below zero.
HWY_INLINE ByteVec join(LongVec a, LongVec b, LongVec c, LongVec d, int precision) {
  const hn::Repartition<std::uint16_t, Bytes> words;
  const auto whole = [&](LongVec v) { return hn::ShiftRightSame(v, precision); };
  const auto most = hn::Set(words, 255);
  const auto ab = hn::Min(hn::BitCast(words, hn::Or(whole(a), hn::ShiftLeft<16>(whole(b)))), most);
  const auto cd = hn::Min(hn::BitCast(words, hn::Or(whole(c), hn::ShiftLeft<16>(whole(d)))), most);
  return hn::BitCast(Bytes(), hn::Or(ab, hn::ShiftLeft<8>(cd)));
}

// 16 bytes of each of some rows.
template <size_t kCount>
HWY_INLINE auto load_blocks(const std::uint8_t* const* rows, size_t offset) {
  if constexpr (kCount == 1) {
    return hn::LoadU(hn::Full128<std::uint8_t>(), rows[0] + offset);
  } else {
    const hn::FixedTag<std::uint8_t, kCount * kBlock> tag;
    const auto low = load_blocks<kCount / 2>(rows, offset);
    return hn::Combine(tag, load_blocks<kCount / 2>(rows + kCount / 2, offset), low);
  }
}

template <size_t kCount, class V>
HWY_INLINE void store_blocks(V v, std::uint8_t* const* rows, size_t offset) {
  if constexpr (kCount == 1) {
    hn::StoreU(v, hn::Full128<std::uint8_t>(), rows[0] + offset);
  } else {
    const hn::FixedTag<std::uint8_t, kCount * kBlock> tag;
    const hn::Half<decltype(tag)> half;
    store_blocks<kCount / 2>(hn::LowerHalf(half, v), rows, offset);
    store_blocks<kCount / 2>(hn::UpperHalf(half, v), rows + kCount / 2, offset);
  }
}

HWY_INLINE ByteVec table(const std::uint8_t (&block)[kBlock]) { return hn::LoadDup128(Bytes(), block); }

alignas(kBlock) constexpr std::uint8_t kFirstTwo[] = {0, kNothing, 4, kNothing, 1, kNothing, 5, kNothing,
                                                      2, kNothing, 6, kNothing, 3, kNothing, 7, kNothing};
alignas(kBlock) constexpr std::uint8_t kLastTwo[] = {8,  kNothing, 12, kNothing, 9,  kNothing, 13, kNothing,
                                                     10, kNothing, 14, kNothing, 11, kNothing, 15, kNothing};
// Of what join() makes of four pixels in the order 0, 1, 2, 3.
alignas(kBlock) constexpr std::uint8_t kPixels[] = {0, 4, 8, 2,  6,        10,       1,        5,
                                                    9, 3, 7, 11, kNothing, kNothing, kNothing, kNothing};
// Of what join() makes of sixteen samples, four and four.
alignas(kBlock) constexpr std::uint8_t kSamples[] = {0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15};
alignas(kBlock) constexpr std::uint8_t kThreeOfFour[] = {
    0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, kNothing, kNothing, kNothing, kNothing};

// The columns of kBlocks rows. kGroups: groups of four weights, or 0 where there are more.
template <int kGroups>
HWY_INLINE void columns_of(const Axis& axis, const std::uint8_t* const* from, std::uint8_t* const* to) {
  const ByteVec first_two = table(kFirstTwo), last_two = table(kLastTwo), pixels = table(kPixels);
  const LongVec half = hn::Set(Longs(), 1 << (axis.precision - 1));
  const int groups = kGroups > 0 ? kGroups : axis.taps / kGroup;
  const auto place = [&](int x) {
    const std::int16_t* weights = axis.weights.data() + static_cast<size_t>(x) * axis.taps;
    size_t offset = static_cast<size_t>(axis.first[x]) * kPixelBytes;
    LongVec sum = half;
    for (int g = 0; g < groups; g++, offset += kBlock, weights += kGroup) {
      const ByteVec v = load_blocks<kBlocks>(from, offset);
      sum = add_products(hn::BitCast(Shorts(), hn::TableLookupBytesOr0(v, first_two)), pair_of(weights), sum);
      sum = add_products(hn::BitCast(Shorts(), hn::TableLookupBytesOr0(v, last_two)), pair_of(weights + 2),
                         sum);
    }
    return sum;
  };
  for (int x = 0; x < axis.to; x += kGroup) {
    const LongVec a = place(x), b = place(x + 1), c = place(x + 2), d = place(x + 3);
    const ByteVec four = hn::TableLookupBytesOr0(join(a, b, c, d, axis.precision), pixels);
    store_blocks<kBlocks>(four, to, static_cast<size_t>(x) * kSampleBytes);
  }
}

void ResizeColumns(const Axis& axis, const std::uint8_t* const* from, std::uint8_t* const* to) {
  for (size_t row = 0; row < kRowsAtOnce; row += kBlocks) {
    if (axis.taps == kGroup)
      columns_of<1>(axis, from + row, to + row);
    else if (axis.taps == 2 * kGroup)
      columns_of<2>(axis, from + row, to + row);
    else
      columns_of<0>(axis, from + row, to + row);
  }
}

void ResizeRows(const Axis& axis, int y, const std::uint8_t* const* from, size_t size, std::uint8_t* to) {
  const Bytes bytes;
  const ByteVec zero = hn::Zero(bytes), samples = table(kSamples);
  const LongVec half = hn::Set(Longs(), 1 << (axis.precision - 1));
  const std::int16_t* weights = axis.weights.data() + static_cast<size_t>(y) * axis.taps;
  const int count = axis.count[y];
  for (size_t i = 0; i < size; i += kLanes) {
    LongVec a = half, b = half, c = half, d = half;
    for (int t = 0; t < count; t += 2) {
      const ShortVec pair = pair_of(weights + t);
      const ByteVec v = hn::LoadU(bytes, from[t] + i),
                    w = hn::LoadU(bytes, from[std::min(t + 1, count - 1)] + i);
      const ByteVec low = hn::InterleaveLower(bytes, v, w), high = hn::InterleaveUpper(bytes, v, w);
      const auto wide = [&](ByteVec x) { return hn::BitCast(Shorts(), x); };
      a = add_products(wide(hn::InterleaveLower(bytes, low, zero)), pair, a);
      b = add_products(wide(hn::InterleaveUpper(bytes, low, zero)), pair, b);
      c = add_products(wide(hn::InterleaveLower(bytes, high, zero)), pair, c);
      d = add_products(wide(hn::InterleaveUpper(bytes, high, zero)), pair, d);
    }
    hn::StoreU(hn::TableLookupBytesOr0(join(a, b, c, d, axis.precision), samples), bytes, to + i);
  }
}

void WriteSamples(const std::uint8_t* from, size_t count, float* to) {
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> longs;
  const hn::Rebind<std::uint8_t, decltype(floats)> bytes;
  const size_t lanes = hn::Lanes(floats), whole = count / lanes * lanes;
  for (size_t i = 0; i < whole; i += lanes)
    hn::StoreU(hn::ConvertTo(floats, hn::PromoteTo(longs, hn::LoadU(bytes, from + i))), floats, to + i);
  for (size_t i = whole; i < count; i++) to[i] = from[i];
}

void DropFourth(const std::uint8_t* from, int width, std::uint8_t* to) {
  const hn::Full128<std::uint8_t> tag;
  const auto order = hn::Load(tag, kThreeOfFour);
  for (int x = 0; x < width; x += kGroup, from += kBlock, to += kGroup * kSampleBytes)
    hn::StoreU(hn::TableLookupBytesOr0(hn::LoadU(tag, from), order), tag, to);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::resize
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::resize {

HWY_EXPORT(ResizeColumns);
HWY_EXPORT(ResizeRows);
HWY_EXPORT(WriteSamples);
HWY_EXPORT(DropFourth);

namespace {
int rounded(double value) { return static_cast<int>(std::floor(value + 0.5)); }  // halves upwards
}  // namespace

Axis make_axis(int from, int to) {
  Axis axis;
  axis.from = from;
  axis.to = to;
  const double scale = static_cast<double>(from) / to, support = std::max(1.0, scale);
  const double inverse = 1 / support;
  const int most = static_cast<int>(std::ceil(support)) * 2 + 1;
  const size_t places = static_cast<size_t>(to) + kGroup - 1;
  axis.first.assign(places, 0);
  axis.count.assign(places, 0);
  std::vector<double> weights(static_cast<size_t>(to) * most);
  double largest = 0;
  int taps = 1;
  for (int i = 0; i < to; i++) {
    const double centre = scale * (i + 0.5);
    const int first = std::max(rounded(centre - support), 0);
    const int count = std::clamp(std::min(rounded(centre + support), from) - first, 0, most);
    double* weight = weights.data() + static_cast<size_t>(i) * most;
    double total = 0;
    for (int j = 0; j < count; j++) {
      weight[j] = std::max(0.0, 1 - std::abs((j + first - centre + 0.5) * inverse));
      total += weight[j];
    }
    for (int j = 0; j < count && total != 0; j++) {
      weight[j] /= total;
      largest = std::max(largest, weight[j]);
    }
    axis.first[i] = first;
    axis.count[i] = count;
    taps = std::max(taps, count);
  }
  while (axis.precision < 22 && rounded(largest * (1 << (axis.precision + 1))) < 1 << 15) axis.precision++;
  axis.taps = (taps + kGroup - 1) / kGroup * kGroup;
  axis.weights.assign(places * axis.taps, 0);
  for (int i = 0; i < to; i++)
    for (int j = 0; j < axis.count[i]; j++)
      axis.weights[static_cast<size_t>(i) * axis.taps + j] = static_cast<std::int16_t>(
          rounded(weights[static_cast<size_t>(i) * most + j] * (1 << axis.precision)));
  return axis;
}

size_t pixel_row_size(const Axis& columns) {
  return (static_cast<size_t>(columns.from) + columns.taps) * kPixelBytes + kRoom;
}

size_t sample_row_size(int width) { return static_cast<size_t>(width) * kSampleBytes + kRoom; }

void resize_columns(const Axis& columns, const std::uint8_t* const* from, std::uint8_t* const* to) {
  HWY_DYNAMIC_DISPATCH(ResizeColumns)(columns, from, to);
}

void resize_rows(const Axis& rows, int y, const std::uint8_t* const* from, size_t size, std::uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(ResizeRows)(rows, y, from, size, to);
}

void write_samples(const std::uint8_t* from, size_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(WriteSamples)(from, count, to);
}

void drop_fourth(const std::uint8_t* from, int width, std::uint8_t* to) {
  HWY_DYNAMIC_DISPATCH(DropFourth)(from, width, to);
}

}  // namespace caffe2rt::resize
#endif
