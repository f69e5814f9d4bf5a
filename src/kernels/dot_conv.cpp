#include "kernels/dot_conv.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/im2row.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define CAFFE2RT_DOT_X86 1
// GCC takes the undefined operand that its own intrinsics pass on for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Every function that uses these instructions says so: the rest of the program runs on any processor.
#define CAFFE2RT_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")]]
#endif

namespace caffe2rt::dot_conv {
namespace {

constexpr size_t kPanel = 32;  // columns of a panel

using Group = std::int32_t;  // as many neighbours along the depth as fit into 32 bits

size_t group_of(Kind kind) { return kind == Kind::kBfloat16 ? 2 : 4; }
size_t count_panels(size_t filters) { return (filters + kPanel - 1) / kPanel; }
size_t groups_of(Kind kind, size_t depth) { return (depth + group_of(kind) - 1) / group_of(kind); }

// What of the depth, in groups, is summed at a time, and the rows of a block.
struct Layout {
  size_t groups, part, step, rows;
  bool plain;

  explicit Layout(const Problem& p)
      : groups(groups_of(p.kind, p.conv.depth())),
        part(im2row::slice_of_depth(groups)),
        plain(im2row::is_plain(p.conv)) {
    step = im2row::step_of(plain ? part : groups);
    rows = im2row::rows_of_block(p.conv, step * sizeof(Group));
  }
};

// Round to nearest even; NaN stays one.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// What is not a number becomes 0.
std::uint8_t to_uint8(float value, float inverse, int zero) {
  const float q = std::nearbyint(value * inverse) + static_cast<float>(zero);
  return static_cast<std::uint8_t>(q > 0 ? std::min(q, 255.0F) : 0);
}

// Converters for im2row: float32 -> numbers of the rows.
struct ToBfloat16 {
  explicit ToBfloat16(const Problem&) {}
  std::uint16_t* operator()(const float* from, size_t count, std::uint16_t* to) const {
    return std::transform(from, from + count, to, to_bfloat16);
  }
  std::uint16_t* zeros(size_t count, std::uint16_t* to) const { return std::fill_n(to, count, 0); }
};

struct ToUint8 {
  float inverse;
  int zero;
  explicit ToUint8(const Problem& p) : inverse(1 / p.input_scale), zero(p.input_zero) {}
  std::uint8_t* operator()(const float* from, size_t count, std::uint8_t* to) const {
    return std::transform(from, from + count, to, [&](float v) { return to_uint8(v, inverse, zero); });
  }
  std::uint8_t* zeros(size_t count, std::uint8_t* to) const {
    return std::fill_n(to, count, static_cast<std::uint8_t>(zero));
  }
};

float finish(const Problem& p, float sum, size_t row, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  if (conv.bias) sum += conv.bias[m];
  if (conv.residual) sum += conv.residual[row * conv.filters + m];
  return conv.relu && !(sum > 0) ? 0 : sum;
}

// Any processor: one sum at a time.
template <class T, class Convert>
void run_plainly(const Problem& p, int first, int last, float* scratch) {
  const Layout layout(p);
  const size_t depth = p.conv.depth(), group = group_of(p.kind);
  const Convert convert(p);
  T* values = reinterpret_cast<T*>(scratch);
  for (int block = first; block < last; block++)
    for (size_t r = 0; r < layout.rows; r++) {
      const size_t row = static_cast<size_t>(block) * layout.rows + r;
      if (row >= p.conv.rows()) return;
      im2row::gather(p.conv, row, 1, convert, values, 0);
      for (size_t m = 0; m < static_cast<size_t>(p.conv.filters); m++) {
        const size_t column = m / kPanel * layout.groups * kPanel + m % kPanel;
        const auto at = [&](size_t k) { return (column + k / group * kPanel) * group + k % group; };
        float& y = p.conv.y[p.conv.offset(row) + m];
        if constexpr (sizeof(T) == 2) {
          const auto* w = static_cast<const std::uint16_t*>(p.packed);
          float sum = 0;
          for (size_t k = 0; k < depth; k++) sum += from_bfloat16(values[k]) * from_bfloat16(w[at(k)]);
          y = finish(p, sum, row, m);
        } else {
          const auto* w = static_cast<const std::int8_t*>(p.packed);
          std::int32_t sum = p.offsets[m];
          for (size_t k = 0; k < depth; k++) sum += values[k] * w[at(k)];
          y = finish(p, static_cast<float>(sum) * p.scales[m], row, m);
        }
      }
    }
}

#ifdef CAFFE2RT_DOT_X86

struct FastBfloat16 : ToBfloat16 {
  using ToBfloat16::ToBfloat16;
  CAFFE2RT_AVX512 std::uint16_t* operator()(const float* from, size_t count, std::uint16_t* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                          reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_loadu_ps(from))));
    return ToBfloat16::operator()(from, count, to);
  }
};

struct FastUint8 : ToUint8 {
  using ToUint8::ToUint8;
  CAFFE2RT_AVX512 std::uint8_t* operator()(const float* from, size_t count, std::uint8_t* to) const {
    const __m512 scale = _mm512_set1_ps(inverse);
    const __m512i offset = _mm512_set1_epi32(zero);
    for (; count >= 16; count -= 16, from += 16, to += 16) {
      // Far out values become the least integer, which the offset must not carry round.
      const __m512 scaled =
          _mm512_min_ps(_mm512_max_ps(_mm512_mul_ps(_mm512_loadu_ps(from), scale), _mm512_set1_ps(-1e6F)),
                        _mm512_set1_ps(1e6F));
      const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), offset);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       _mm512_cvtusepi32_epi8(_mm512_max_epi32(q, _mm512_setzero_si512())));
    }
    return ToUint8::operator()(from, count, to);
  }
};

// Sums of 16 columns: what is added to them, what they begin with and what becomes of them.
template <bool kWhole>
struct Vector {
  __mmask16 mask;
  CAFFE2RT_AVX512 __m512 load(const float* from) const {
    return kWhole ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(mask, from);
  }
  CAFFE2RT_AVX512 void store(__m512 v, float* to) const {
    if constexpr (kWhole)
      _mm512_storeu_ps(to, v);
    else
      _mm512_mask_storeu_ps(to, mask, v);
  }
};

template <bool kWhole>
Vector<kWhole> first_lanes(size_t count) {
  return {static_cast<__mmask16>((1U << std::min<size_t>(16, count)) - 1)};
}

struct DotBfloat16 {
  using Sum = __m512;
  CAFFE2RT_AVX512 static Sum dot(Sum sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  template <class V>
  CAFFE2RT_AVX512 static Sum begin(const Problem&, size_t, const V&) {
    return _mm512_setzero_ps();
  }
  CAFFE2RT_AVX512 static Sum from_bits(__m512 bits) { return bits; }
  CAFFE2RT_AVX512 static __m512 to_bits(Sum sum) { return sum; }
  template <class V>
  CAFFE2RT_AVX512 static __m512 value(const Problem&, Sum sum, size_t, const V&) {
    return sum;
  }
};

struct DotInt8 {
  using Sum = __m512i;
  CAFFE2RT_AVX512 static Sum dot(Sum sum, __m512i a, __m512i b) { return _mm512_dpbusd_epi32(sum, a, b); }
  template <class V>
  CAFFE2RT_AVX512 static Sum begin(const Problem& p, size_t m, const V& v) {
    return _mm512_castps_si512(v.load(reinterpret_cast<const float*>(p.offsets + m)));
  }
  CAFFE2RT_AVX512 static Sum from_bits(__m512 bits) { return _mm512_castps_si512(bits); }
  CAFFE2RT_AVX512 static __m512 to_bits(Sum sum) { return _mm512_castsi512_ps(sum); }
  template <class V>
  CAFFE2RT_AVX512 static __m512 value(const Problem& p, Sum sum, size_t m, const V& v) {
    return _mm512_mul_ps(_mm512_cvtepi32_ps(sum), v.load(p.scales + m));
  }
};

struct Slice {
  size_t begin, groups;
  bool first, last;
};

// kHeight rows by kWidth vectors. Sums of a slice that is not the last lie in the output, bit by bit.
template <class Dot, int kHeight, int kWidth, bool kWhole>
CAFFE2RT_AVX512 void multiply_tile(const Problem& p, const Group* a, size_t step, const Group* panel,
                                   const Slice& slice, size_t row, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step_y = conv.step();
  const size_t left = std::min<size_t>(conv.filters - m, kPanel);
  const Vector<kWhole> vectors[2] = {first_lanes<kWhole>(left),
                                     first_lanes<kWhole>(left > 16 ? left - 16 : 0)};
  float* y = conv.y + conv.offset(row) + m;
  typename Dot::Sum sum[kHeight][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) {
      _mm_prefetch(reinterpret_cast<const char*>(y + r * step_y + v * 16), _MM_HINT_T0);
      sum[r][v] = slice.first ? Dot::begin(p, m + v * 16, vectors[v])
                              : Dot::from_bits(vectors[v].load(y + r * step_y + v * 16));
    }
  for (size_t k = 0; k < slice.groups; k++) {
    __m512i b[kWidth];
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) b[v] = _mm512_load_si512(panel + k * kPanel + v * 16);
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++) {
      const __m512i x = _mm512_set1_epi32(a[r * step + k]);
#pragma GCC unroll 2
      for (int v = 0; v < kWidth; v++) sum[r][v] = Dot::dot(sum[r][v], x, b[v]);
    }
  }
  if (!slice.last) {
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
      for (int v = 0; v < kWidth; v++) vectors[v].store(Dot::to_bits(sum[r][v]), y + r * step_y + v * 16);
    return;
  }
#pragma GCC unroll 2
  for (int v = 0; v < kWidth; v++) {
    const __m512 bias = conv.bias ? vectors[v].load(conv.bias + m + v * 16) : _mm512_setzero_ps();
    const float* residual = conv.residual ? conv.residual + row * step_y + m + v * 16 : nullptr;
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++) {
      __m512 value = _mm512_add_ps(Dot::value(p, sum[r][v], m + v * 16, vectors[v]), bias);
      if (residual) value = _mm512_add_ps(value, vectors[v].load(residual + r * step_y));
      if (conv.relu) value = _mm512_max_ps(value, _mm512_setzero_ps());
      vectors[v].store(value, y + r * step_y + v * 16);
    }
  }
}

template <class Dot, int kHeight, int kWidth, bool kWhole>
CAFFE2RT_AVX512 void multiply_column(const Problem& p, const Group* a, size_t step, const Group* panel,
                                     const Slice& slice, size_t row, size_t rows, size_t m) {
  for (; rows >= kHeight; rows -= kHeight, row += kHeight, a += kHeight * step)
    multiply_tile<Dot, kHeight, kWidth, kWhole>(p, a, step, panel, slice, row, m);
  if constexpr (kHeight > 1)
    multiply_column<Dot, kHeight / 2, kWidth, kWhole>(p, a, step, panel, slice, row, rows, m);
}

// All columns of some rows.
template <class Dot>
void multiply_columns(const Problem& p, const Group* a, size_t step, const Layout& layout, const Slice& slice,
                      size_t row, size_t rows) {
  const size_t filters = p.conv.filters;
  for (size_t m = 0; m < filters; m += kPanel) {
    const Group* panel = static_cast<const Group*>(p.packed) + (m * layout.groups + slice.begin * kPanel);
    if (filters - m >= kPanel)
      multiply_column<Dot, 14, 2, true>(p, a, step, panel, slice, row, rows, m);
    else if (filters - m > kPanel / 2)
      multiply_column<Dot, 14, 2, false>(p, a, step, panel, slice, row, rows, m);
    else
      multiply_column<Dot, 14, 1, false>(p, a, step, panel, slice, row, rows, m);
  }
}

// T: the numbers of the rows.
template <class Dot, class T, class Convert>
void run_fast(const Problem& p, int first, int last, float* scratch) {
  const Layout layout(p);
  const Convert convert(p);
  const size_t group = group_of(p.kind), depth = p.conv.depth();
  // Few weights stay near the processor while rows are written one after the other; many are read once a
  // block.
  constexpr size_t kFew = 320 * 1024 / sizeof(Group);
  const size_t at_once = layout.part * count_panels(p.conv.filters) * kPanel <= kFew ? 14 : layout.rows;
  T* values = reinterpret_cast<T*>(scratch);
  const size_t value_step = layout.step * group;
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * layout.rows,
                 rows = std::min(layout.rows, p.conv.rows() - row);
    if (!layout.plain) im2row::gather(p.conv, row, rows, convert, values, value_step);
    for (size_t k = 0; k < layout.groups; k += layout.part) {
      const Slice slice{k, std::min(layout.part, layout.groups - k), k == 0,
                        k + layout.part >= layout.groups};
      if (layout.plain)
        im2row::copy_rows(p.conv, row, rows, k * group, std::min(slice.groups * group, depth - k * group),
                          convert, values, value_step);
      // Of a group that the depth ends in, the rest is multiplied by zeros, and must be numbers itself.
      if (slice.last && depth % group != 0)
        for (size_t r = 0; r < rows; r++)
          std::fill_n(values + r * value_step + depth - (layout.plain ? k * group : 0), group - depth % group,
                      T());
      const Group* a = reinterpret_cast<const Group*>(scratch) + (layout.plain ? 0 : k);
      for (size_t r = 0, count = 0; r < rows; r += count) {
        count = p.conv.on_line(row + r, std::min(at_once, rows - r));
        multiply_columns<Dot>(p, a + r * layout.step, layout.step, layout, slice, row + r, count);
      }
    }
  }
}

#endif

template <class T, class Convert>
void pack(Kind kind, const T* filter, size_t filters, size_t channels, size_t window, Convert convert,
          void* packed) {
  using To = decltype(convert(T()));
  const size_t group = group_of(kind), groups = groups_of(kind, channels * window);
  std::memset(packed, 0, packed_size(kind, channels * window, filters));
  auto* to = static_cast<To*>(packed);
  for (size_t m = 0; m < filters; m++)
    for (size_t i = 0; i < window; i++)
      for (size_t c = 0; c < channels; c++) {
        const size_t k = i * channels + c;
        to[((m / kPanel * groups + k / group) * kPanel + m % kPanel) * group + k % group] =
            convert(filter[(m * channels + c) * window + i]);
      }
}

}  // namespace

bool is_fast(Kind kind) {
#ifdef CAFFE2RT_DOT_X86
  static const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  static const bool bfloat16 = avx512 && __builtin_cpu_supports("avx512bf16");
  static const bool int8 = avx512 && __builtin_cpu_supports("avx512vnni");
  return kind == Kind::kBfloat16 ? bfloat16 : int8;
#else
  (void)kind;
  return false;
#endif
}

size_t packed_size(Kind kind, size_t depth, size_t filters) {
  return groups_of(kind, depth) * count_panels(filters) * kPanel * sizeof(Group);
}

void pack_bfloat16(const float* filter, size_t filters, size_t channels, size_t window, void* packed) {
  pack(Kind::kBfloat16, filter, filters, channels, window, to_bfloat16, packed);
}

void pack_int8(const std::int8_t* filter, size_t filters, size_t channels, size_t window, void* packed) {
  pack(
      Kind::kInt8, filter, filters, channels, window, [](std::int8_t v) { return v; }, packed);
}

int count_blocks(const Problem& problem) {
  const size_t rows = Layout(problem).rows;
  return static_cast<int>((problem.conv.rows() + rows - 1) / rows);
}

size_t scratch_size(const Problem& problem) {
  const Layout layout(problem);
  return layout.rows * layout.step + im2row::step_of(layout.groups);  // run_plain() gathers a whole row
}

void run_plain(const Problem& problem, int first, int last, float* scratch) {
  if (problem.kind == Kind::kBfloat16)
    run_plainly<std::uint16_t, ToBfloat16>(problem, first, last, scratch);
  else
    run_plainly<std::uint8_t, ToUint8>(problem, first, last, scratch);
}

void run(const Problem& problem, int first, int last, float* scratch) {
#ifdef CAFFE2RT_DOT_X86
  if (is_fast(problem.kind)) {
    if (problem.kind == Kind::kBfloat16)
      run_fast<DotBfloat16, std::uint16_t, FastBfloat16>(problem, first, last, scratch);
    else
      run_fast<DotInt8, std::uint8_t, FastUint8>(problem, first, last, scratch);
    return;
  }
#endif
  run_plain(problem, first, last, scratch);
}

}  // namespace caffe2rt::dot_conv
