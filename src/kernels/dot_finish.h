// What becomes of the sums of products, by AVX-512: bias, residual, activation, and the format of the output.
#pragma once

#include "kernels/dot_avx512.h"

namespace caffe2rt::dot_conv {

// 16 numbers of any format, of which those of the mask are there.
CAFFE2RT_AVX512 inline __m512 load(const Source& from, size_t at, __mmask16 mask) {
  switch (from.encoding.format) {
    case Format::kBfloat16:
      return load_bfloat16(from.as<std::uint16_t>() + at, mask);
    case Format::kUint8: {
      const __m512i q = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, from.as<std::uint8_t>() + at));
      return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(q, _mm512_set1_epi32(from.encoding.zero))),
                           _mm512_set1_ps(from.encoding.scale));
    }
    case Format::kFloat32:
      break;
  }
  return _mm512_maskz_loadu_ps(mask, from.floats() + at);
}

// How columns are written: all, all and past the caches, or those that are there.
enum class Columns { kWhole, kPastCaches, kPart };

// Writes 16 columns, in each format.
template <Columns kColumns>
struct StoreFloats {
  float* y;
  CAFFE2RT_AVX512 StoreFloats(const Target& to) : y(to.floats()) {}
  CAFFE2RT_AVX512 void operator()(size_t at, __m512 v, __mmask16 mask) const {
    if constexpr (kColumns == Columns::kPart)
      _mm512_mask_storeu_ps(y + at, mask, v);
    else if constexpr (kColumns == Columns::kPastCaches)
      _mm512_stream_ps(y + at, v);
    else
      _mm512_storeu_ps(y + at, v);
  }
};

template <Columns kColumns>
struct StoreBfloat16 {
  std::uint16_t* y;
  CAFFE2RT_AVX512 StoreBfloat16(const Target& to) : y(to.as<std::uint16_t>()) {}
  CAFFE2RT_AVX512 void operator()(size_t at, __m512 v, __mmask16 mask) const {
    if constexpr (kColumns == Columns::kPart)
      _mm256_mask_storeu_epi16(y + at, mask, bfloat16_of(v));
    else
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + at), bfloat16_of(v));
  }
};

template <Columns kColumns>
struct StoreUint8 {
  std::uint8_t* y;
  float inverse;
  int zero;
  CAFFE2RT_AVX512 StoreUint8(const Target& to)
      : y(to.as<std::uint8_t>()), inverse(1 / to.encoding.scale), zero(to.encoding.zero) {}
  CAFFE2RT_AVX512 void operator()(size_t at, __m512 v, __mmask16 mask) const {
    const __m128i q = uint8_of(v, inverse, zero);
    if constexpr (kColumns == Columns::kPart)
      _mm_mask_storeu_epi8(y + at, mask, q);
    else
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + at), q);
  }
};

// The sums of `rows` rows, (rows,kPanel), of filters from m on -> results of the output's rows from `row` on,
// which lie one step apart. `residual`: of these rows, one a step of the output apart, or none.
template <class Dot, template <Columns> class Store, Columns kColumns>
CAFFE2RT_AVX512 void finish_columns(const Problem& p, const float* sums, const Source& residual, size_t row,
                                    size_t rows, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step = conv.step(), left = std::min<size_t>(conv.filters - m, kPanel);
  const Store<kColumns> store(conv.y);
  const __m512 zero = _mm512_setzero_ps();
  for (size_t v = 0; v < left; v += 16) {
    const __mmask16 mask = first_lanes(left - v);
    const typename Dot::Scale scale(p, m + v, mask);
    const __m512 bias = conv.bias ? _mm512_maskz_loadu_ps(mask, conv.bias + m + v) : zero;
    size_t at = conv.offset(row) + m + v;
    for (size_t r = 0; r < rows; r++, at += step) {
      __m512 value = _mm512_add_ps(scale(Dot::load(sums + r * kPanel + v)), bias);
      if (residual) value = _mm512_add_ps(value, load(residual, r * step + m + v, mask));
      if (conv.relu) value = _mm512_max_ps(value, zero);
      store(at, value, mask);
    }
  }
}

template <class Dot, template <Columns> class Store>
void finish_rows(const Problem& p, const float* sums, const Source& residual, size_t row, size_t rows,
                 size_t m, bool past_caches) {
  if (p.conv.filters - m < kPanel)
    finish_columns<Dot, Store, Columns::kPart>(p, sums, residual, row, rows, m);
  else if (past_caches)
    finish_columns<Dot, Store, Columns::kPastCaches>(p, sums, residual, row, rows, m);
  else
    finish_columns<Dot, Store, Columns::kWhole>(p, sums, residual, row, rows, m);
}

template <class Dot>
void finish_rows(const Problem& p, const float* sums, const Source& residual, size_t row, size_t rows,
                 size_t m, bool past_caches) {
  switch (p.conv.y.encoding.format) {
    case Format::kFloat32:
      return finish_rows<Dot, StoreFloats>(p, sums, residual, row, rows, m, past_caches);
    case Format::kBfloat16:
      return finish_rows<Dot, StoreBfloat16>(p, sums, residual, row, rows, m, false);
    case Format::kUint8:
      return finish_rows<Dot, StoreUint8>(p, sums, residual, row, rows, m, false);
  }
}

}  // namespace caffe2rt::dot_conv
