// Sums of products on vectors of any processor: of numbers twice as wide, float32 instead of bfloat16 and 16
// bit integers instead of 8 bit ones. The integers' sums are those of the other ways to the last bit.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dot_widened.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/dot_rows.h"
#include "kernels/encoding-inl.h"
#include "kernels/sum_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::dot_conv {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace en = encoding::HWY_NAMESPACE;
namespace st = sum_tile::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void Run(const Problem& p, int first, int last, float* scratch) { run_plainly(p, first, last, scratch); }

#else

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using Integers = hn::Rebind<int32_t, Tag>;
using Halves = hn::Repartition<int16_t, Integers>;

constexpr size_t kLanes = hn::MaxLanes(Tag());

// Calls convert(i) for whole vectors of `count` numbers, and convert_one(i) for the rest.
template <class Vectors, class One>
HWY_INLINE void for_each(size_t lanes, size_t count, Vectors&& convert, One&& convert_one) {
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) convert(i);
  for (; i < count; i++) convert_one(i);
}

class ToFloat {
 public:
  using Number = std::uint16_t;
  using To = float;
  explicit ToFloat(const Problem&) : read_({}), round_({}) {}

  float* operator()(const std::uint16_t* from, size_t count, float* to) const {
    for_each(
        kLanes, count, [&](size_t i) { hn::StoreU(read_(from + i), Tag(), to + i); },
        [&](size_t i) { to[i] = from_bfloat16(from[i]); });
    return to + count;
  }
  float* operator()(const float* from, size_t count, float* to) const {
    const hn::Rebind<uint32_t, Tag> words;
    for_each(
        kLanes, count,
        [&](size_t i) {
          const auto upper = round_.upper_halves(hn::LoadU(Tag(), from + i));
          hn::StoreU(hn::BitCast(Tag(), hn::ShiftLeft<16>(hn::BitCast(words, upper))), Tag(), to + i);
        },
        [&](size_t i) { to[i] = from_bfloat16(to_bfloat16(from[i])); });
    return to + count;
  }
  float* zeros(size_t count, float* to) const { return std::fill_n(to, count, 0.0F); }

 private:
  en::Decoder read_;
  en::Encoder round_;
};

class ToInt16 {
 public:
  using Number = std::uint8_t;
  using To = std::int16_t;
  explicit ToInt16(const Problem& p)
      : inverse_(1 / p.input_scale),
        zero_(p.input_zero),
        read_({}),
        round_({Format::kUint8, p.input_scale, p.input_zero}) {}

  To* operator()(const std::uint8_t* from, size_t count, To* to) const {
    const Halves halves;
    for_each(
        hn::Lanes(halves), count,
        [&](size_t i) {
          hn::StoreU(hn::PromoteTo(halves, hn::LoadU(hn::Rebind<uint8_t, Halves>(), from + i)), halves,
                     to + i);
        },
        [&](size_t i) { to[i] = from[i]; });
    return to + count;
  }
  To* operator()(const float* from, size_t count, To* to) const {
    for_each(
        kLanes, count, [&](size_t i) { store(hn::LoadU(Tag(), from + i), to + i); },
        [&](size_t i) { to[i] = to_uint8(from[i], inverse_, zero_); });
    return to + count;
  }
  To* operator()(const std::uint16_t* from, size_t count, To* to) const {
    for_each(
        kLanes, count, [&](size_t i) { store(read_(from + i), to + i); },
        [&](size_t i) { to[i] = to_uint8(from_bfloat16(from[i]), inverse_, zero_); });
    return to + count;
  }
  To* zeros(size_t count, To* to) const { return std::fill_n(to, count, static_cast<To>(zero_)); }

 private:
  HWY_INLINE void store(Vec v, To* to) const {
    const hn::Rebind<int16_t, Tag> halves;
    hn::StoreU(hn::PromoteTo(halves, round_.octets(v)), halves, to);
  }

  float inverse_;
  int zero_;
  en::Decoder read_;
  en::Encoder round_;
};

// Sums of products of bfloat16, one a lane; of a pair one after the other.
struct DotBfloat16 {
  using Convert = ToFloat;
  using Sum = Vec;
  static constexpr size_t kWords = 2, kSteps = 2, kColumns = kLanes;

  static HWY_INLINE Sum zero() { return hn::Zero(Tag()); }
  static HWY_INLINE Vec weights(const Group* from, size_t step) {
    const auto pairs = hn::Load(Integers(), from);
    return hn::BitCast(Tag(), step == 0 ? hn::ShiftLeft<16>(pairs)
                                        : hn::And(pairs, hn::Set(Integers(), static_cast<int>(0xffff0000U))));
  }
  static HWY_INLINE Vec numbers(const Group* group, size_t step) {
    return hn::Set(Tag(), reinterpret_cast<const float*>(group)[step]);
  }
  static HWY_INLINE Sum dot(Vec x, Vec w, Sum sum) { return hn::MulAdd(x, w, sum); }
  static HWY_INLINE void store(Sum a, Sum b, const float* earlier, float* to) {
    hn::StoreU(hn::Add(a, hn::LoadU(Tag(), earlier)), Tag(), to);
    hn::StoreU(hn::Add(b, hn::LoadU(Tag(), earlier + kLanes)), Tag(), to + kLanes);
  }

  // What the sums of filters from m on stand for.
  struct Scale {
    Scale(const Problem&, size_t) {}
    HWY_INLINE Vec operator()(const float* sums) const { return hn::LoadU(Tag(), sums); }
  };
  static float scale(const Problem&, size_t, float sum) { return sum; }
};

// Sums of products of 8 bit integers, two a column: of the first two of a group, and of the other two.
struct DotInt8 {
  using Convert = ToInt16;
  using Sum = hn::Vec<Integers>;
  static constexpr size_t kWords = 2, kSteps = 1, kColumns = kLanes / 2;

  static HWY_INLINE Sum zero() { return hn::Zero(Integers()); }
  static HWY_INLINE hn::Vec<Halves> weights(const Group* from, size_t) {
    const hn::Rebind<int8_t, Halves> octets;
    return hn::PromoteTo(Halves(), hn::Load(octets, reinterpret_cast<const int8_t*>(from)));
  }
  static HWY_INLINE hn::Vec<Halves> numbers(const Group* group, size_t) {
    int64_t four;
    hwy::CopyBytes<sizeof(four)>(group, &four);
    return hn::BitCast(Halves(), hn::Set(hn::Repartition<int64_t, Tag>(), four));
  }
  static HWY_INLINE Sum dot(hn::Vec<Halves> x, hn::Vec<Halves> w, Sum sum) {
    Sum rest = zero();
    sum = hn::ReorderWidenMulAccumulate(Integers(), x, w, sum, rest);
    return hn::RearrangeToOddPlusEven(sum, rest);
  }
  static HWY_INLINE void store(Sum a, Sum b, const float* earlier, float* to) {
    const Integers integers;
    const Sum sum = hn::Add(hn::ConcatEven(integers, b, a), hn::ConcatOdd(integers, b, a));
    hn::StoreU(hn::Add(sum, hn::LoadU(integers, reinterpret_cast<const int32_t*>(earlier))), integers,
               reinterpret_cast<int32_t*>(to));
  }

  struct Scale {
    Sum offset;
    Vec factor;
    Scale(const Problem& p, size_t m)
        : offset(hn::LoadU(Integers(), p.offsets + m)), factor(hn::LoadU(Tag(), p.scales + m)) {}
    HWY_INLINE Vec operator()(const float* sums) const {
      const Sum sum = hn::LoadU(Integers(), reinterpret_cast<const int32_t*>(sums));
      return hn::Mul(hn::ConvertTo(Tag(), hn::Add(sum, offset)), factor);
    }
  };
  static float scale(const Problem& p, size_t m, float bits) {
    return static_cast<float>(std::bit_cast<std::int32_t>(bits) + p.offsets[m]) * p.scales[m];
  }
};

// The sums of `rows` rows, (rows,kPanel), of filters from m on -> results of the output's rows from `row` on.
template <class Dot>
void finish_rows(const Problem& p, const float* sums, const Source& residual, size_t row, size_t rows,
                 size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step = conv.step(), left = std::min<size_t>(conv.filters - m, kPanel);
  const en::Decoder read(residual.encoding);
  const en::Encoder write(conv.y.encoding);
  size_t v = 0;
  for (; v + kLanes <= left; v += kLanes) {
    const typename Dot::Scale scale(p, m + v);
    const Vec bias = conv.bias ? hn::LoadU(Tag(), conv.bias + m + v) : hn::Zero(Tag());
    size_t at = conv.offset(row) + m + v;
    for (size_t r = 0; r < rows; r++, at += step) {
      Vec value = hn::Add(scale(sums + r * kPanel + v), bias);
      if (residual) value = hn::Add(value, read(residual, r * step + m + v));
      if (conv.relu) value = hn::Max(value, hn::Zero(Tag()));
      write(value, conv.y, at);
    }
  }
  for (; v < left; v++)
    for (size_t r = 0; r < rows; r++) {
      float value = Dot::scale(p, m + v, sums[r * kPanel + v]);
      if (conv.bias) value += conv.bias[m + v];
      if (residual) value += residual[r * step + m + v];
      conv.y.set(conv.offset(row) + r * step + m + v, conv.relu && !(value > 0) ? 0 : value);
    }
}

template <class Dot>
struct Kernel {
  using Convert = typename Dot::Convert;
  static constexpr size_t kRows = st::kRows;

  static void multiply_panel(const Problem& p, const Layout& layout, const Slice& slice, Rows rows, size_t m,
                             bool) {
    static constexpr float kZeros[kPanel] = {};
    const Group* panel = static_cast<const Group*>(p.packed) + (m * layout.groups + slice.begin * kPanel);
    const size_t columns = std::min<size_t>(p.conv.filters - m, kPanel);
    HWY_ALIGN float local[kRows * kPanel];
    while (rows.count > 0) {
      const size_t height = next_height(rows.count, kRows);
      float* kept = rows.sums + m;
      st::Sums sums{slice.first ? kZeros : kept, slice.last ? local : kept, slice.first ? 0 : layout.columns,
                    slice.last ? kPanel : layout.columns};
      for (size_t column = 0; column < columns; column += 2 * Dot::kColumns) {
        st::tiles_by_height<Dot>[height - 1](rows.a, rows.step, panel + column, kPanel, slice.groups, sums);
        sums.begin += 2 * Dot::kColumns;
        sums.end += 2 * Dot::kColumns;
      }
      if (slice.last) finish_rows<Dot>(p, local, rows.residual, rows.first, height, m);
      rows.skip(p, layout, height);
    }
  }
};

void Run(const Problem& p, int first, int last, float* scratch) {
  if (p.kind == Kind::kBfloat16)
    run_by_rows<Kernel<DotBfloat16> >(p, first, last, scratch);
  else
    run_by_rows<Kernel<DotInt8> >(p, first, last, scratch);
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::dot_conv
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::dot_conv {

HWY_EXPORT(Run);

void run_widened(const Problem& p, int first, int last, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Run)(p, first, last, scratch);
}

}  // namespace caffe2rt::dot_conv
#endif
