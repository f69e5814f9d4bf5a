// The processor's own sums of products, on vectors (AVX-512 with BF16 or VNNI) and on tiles.
#include <optional>

#include "kernels/dot_layout.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
// GCC takes the undefined operand that its own intrinsics pass on for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Every function that uses these instructions says so: the rest of the program runs on any processor.
#define CAFFE2RT_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")]]

namespace caffe2rt::dot_conv {
namespace {

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

// How 16 columns are read and written: all, all and past the caches, or the first lanes.
enum class Columns { kWhole, kPastCaches, kPart };

// Sums of 16 columns: what is added to them, what they begin with and what becomes of them.
template <Columns kColumns>
struct Vector {
  __mmask16 mask;
  CAFFE2RT_AVX512 __m512 load(const float* from) const {
    return kColumns == Columns::kPart ? _mm512_maskz_loadu_ps(mask, from) : _mm512_loadu_ps(from);
  }
  CAFFE2RT_AVX512 void store(__m512 v, float* to) const {
    if constexpr (kColumns == Columns::kPart)
      _mm512_mask_storeu_ps(to, mask, v);
    else if constexpr (kColumns == Columns::kPastCaches)
      _mm512_stream_ps(to, v);
    else
      _mm512_storeu_ps(to, v);
  }
};

template <Columns kColumns>
Vector<kColumns> first_lanes(size_t count) {
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
  CAFFE2RT_AVX512 static Sum add(Sum a, Sum b) { return _mm512_add_ps(a, b); }
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
  CAFFE2RT_AVX512 static Sum add(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
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
template <class Dot, int kHeight, int kWidth, Columns kColumns>
CAFFE2RT_AVX512 void multiply_tile(const Problem& p, const Group* a, size_t step, const Group* panel,
                                   const Slice& slice, size_t row, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step_y = conv.step();
  const size_t left = std::min<size_t>(conv.filters - m, kPanel);
  const Vector<kColumns> vectors[2] = {first_lanes<kColumns>(left),
                                       first_lanes<kColumns>(left > 16 ? left - 16 : 0)};
  float* y = conv.y + conv.offset(row) + m;
  typename Dot::Sum sum[kHeight][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) {
      if constexpr (kColumns != Columns::kPastCaches)
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

template <class Dot, int kHeight, int kWidth, Columns kColumns>
CAFFE2RT_AVX512 void multiply_column(const Problem& p, const Group* a, size_t step, const Group* panel,
                                     const Slice& slice, size_t row, size_t rows, size_t m) {
  for (; rows >= kHeight; rows -= kHeight, row += kHeight, a += kHeight * step)
    multiply_tile<Dot, kHeight, kWidth, kColumns>(p, a, step, panel, slice, row, m);
  if constexpr (kHeight > 1)
    multiply_column<Dot, kHeight / 2, kWidth, kColumns>(p, a, step, panel, slice, row, rows, m);
}

// All columns of some rows.
template <class Dot>
void multiply_columns(const Problem& p, const Group* a, size_t step, const Layout& layout, const Slice& slice,
                      size_t row, size_t rows) {
  const size_t filters = p.conv.filters;
  const bool past_caches = slice.first && slice.last && p.conv.past_caches();
  for (size_t m = 0; m < filters; m += kPanel) {
    const Group* panel = static_cast<const Group*>(p.packed) + (m * layout.groups + slice.begin * kPanel);
    if (past_caches && filters - m >= kPanel)
      multiply_column<Dot, 14, 2, Columns::kPastCaches>(p, a, step, panel, slice, row, rows, m);
    else if (filters - m >= kPanel)
      multiply_column<Dot, 14, 2, Columns::kWhole>(p, a, step, panel, slice, row, rows, m);
    else if (filters - m > kPanel / 2)
      multiply_column<Dot, 14, 2, Columns::kPart>(p, a, step, panel, slice, row, rows, m);
    else
      multiply_column<Dot, 14, 1, Columns::kPart>(p, a, step, panel, slice, row, rows, m);
  }
}

// T: the numbers of the rows.
template <class Dot, class T, class Convert>
void run_by_vectors(const Problem& p, int first, int last, float* scratch) {
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

// What becomes of the sums of some rows, (rows,32), that begin at `row` and lie one step apart in the output.
template <class Dot, Columns kColumns>
CAFFE2RT_AVX512 void finish_rows(const Problem& p, const float* sums, size_t row, size_t rows, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step = conv.step(), left = std::min<size_t>(conv.filters - m, kPanel);
  float* y = conv.y + conv.offset(row) + m;
  for (size_t v = 0; v < kPanel && v < left; v += 16) {
    const Vector<kColumns> vector = first_lanes<kColumns>(left - v);
    const typename Dot::Sum begin = Dot::begin(p, m + v, vector);
    const __m512 bias = conv.bias ? vector.load(conv.bias + m + v) : _mm512_setzero_ps();
    const float* residual = conv.residual ? conv.residual + row * step + m + v : nullptr;
    for (size_t r = 0; r < rows; r++) {
      const typename Dot::Sum sum = Dot::from_bits(_mm512_load_ps(sums + r * kPanel + v));
      __m512 value = _mm512_add_ps(Dot::value(p, Dot::add(sum, begin), m + v, vector), bias);
      if (residual) value = _mm512_add_ps(value, vector.load(residual + r * step));
      if (conv.relu) value = _mm512_max_ps(value, _mm512_setzero_ps());
      vector.store(value, y + r * step + v);
    }
  }
}

template <class Dot, class T, class Convert>
void run_by_tiles(const Problem& p, int first, int last, float* scratch,
                  void (*multiply)(const tile_product::Problem&)) {
  using tile_product::kRows, tile_product::kStep;
  const Layout layout(p);
  const Convert convert(p);
  const size_t depth = p.conv.depth(), filters = p.conv.filters, value_step = layout.step * group_of(p.kind),
               padded = (layout.groups + kStep - 1) / kStep * kStep * group_of(p.kind);
  T* values = reinterpret_cast<T*>(scratch);
  const Group* a = reinterpret_cast<const Group*>(scratch);
  float* sums = scratch + layout.allocated_rows() * layout.step;
  const bool past_caches = p.conv.past_caches();
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * layout.rows,
                 rows = std::min(layout.rows, p.conv.rows() - row);
    if (layout.plain)
      im2row::copy_rows(p.conv, row, rows, 0, depth, convert, values, value_step);
    else
      im2row::gather(p.conv, row, rows, convert, values, value_step);
    for (size_t r = 0; r < rows; r++) std::fill_n(values + r * value_step + depth, padded - depth, T());
    for (size_t m = 0; m < filters; m += kPanel) {
      const Group* panel = static_cast<const Group*>(p.packed) + m * layout.groups;
      for (size_t k = 0; k < layout.groups; k += layout.part) {
        const size_t steps = (std::min(layout.part, layout.groups - k) + kStep - 1) / kStep;
        for (size_t r = 0; r < rows; r += kRows)
          multiply(
              {a + r * layout.step + k, layout.step, panel + k * kPanel, steps, k == 0, sums + r * kPanel});
      }
      for (size_t r = 0, count = 0; r < rows; r += count) {
        count = p.conv.on_line(row + r, rows - r);
        if (past_caches && filters - m >= kPanel)
          finish_rows<Dot, Columns::kPastCaches>(p, sums + r * kPanel, row + r, count, m);
        else if (filters - m >= kPanel)
          finish_rows<Dot, Columns::kWhole>(p, sums + r * kPanel, row + r, count, m);
        else
          finish_rows<Dot, Columns::kPart>(p, sums + r * kPanel, row + r, count, m);
      }
    }
  }
}

}  // namespace

bool has_vectors(Kind kind) {
  static const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  static const bool bfloat16 = avx512 && __builtin_cpu_supports("avx512bf16");
  static const bool int8 = avx512 && __builtin_cpu_supports("avx512vnni");
  return kind == Kind::kBfloat16 ? bfloat16 : int8;
}

void run_vectors(const Problem& p, int first, int last, float* scratch) {
  if (p.kind == Kind::kBfloat16)
    run_by_vectors<DotBfloat16, std::uint16_t, FastBfloat16>(p, first, last, scratch);
  else
    run_by_vectors<DotInt8, std::uint8_t, FastUint8>(p, first, last, scratch);
  _mm_sfence();
}

void run_tiles(const Problem& p, int first, int last, float* scratch) {
  const bool bfloat16 = p.kind == Kind::kBfloat16;
  const bool registers = bfloat16 ? tile_product::has_bfloat16() : tile_product::has_int8();
  std::optional<tile_product::Registers> in_use;
  if (registers) in_use.emplace();
  if (bfloat16)
    run_by_tiles<DotBfloat16, std::uint16_t, FastBfloat16>(
        p, first, last, scratch,
        registers ? tile_product::multiply_bfloat16 : tile_product::multiply_bfloat16_plainly);
  else
    run_by_tiles<DotInt8, std::uint8_t, FastUint8>(
        p, first, last, scratch,
        registers ? tile_product::multiply_int8 : tile_product::multiply_int8_plainly);
  _mm_sfence();
}

}  // namespace caffe2rt::dot_conv

#else

namespace caffe2rt::dot_conv {
bool has_vectors(Kind) { return false; }
void run_vectors(const Problem&, int, int, float*) {}
void run_tiles(const Problem&, int, int, float*) {}
}  // namespace caffe2rt::dot_conv

#endif
