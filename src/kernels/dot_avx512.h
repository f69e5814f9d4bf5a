// What the ways that use AVX-512 share: numbers become smaller ones sixteen at a time, and what is done with
// sums.
#pragma once

#include <immintrin.h>

#include "kernels/dot_layout.h"

// GCC takes the undefined operand that its own intrinsics pass on for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// Every function that uses these instructions says so: the rest of the program runs on any processor.
#define CAFFE2RT_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16")]]

namespace caffe2rt::dot_conv {

inline __mmask16 first_lanes(size_t count) {
  return static_cast<__mmask16>((1U << std::min<size_t>(16, count)) - 1);
}

// 16 numbers of which those of the mask are there.
CAFFE2RT_AVX512 inline __m512 load_bfloat16(const std::uint16_t* from, __mmask16 mask) {
  const __m512i halves = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(halves, 16));
}

CAFFE2RT_AVX512 inline __m256i bfloat16_of(__m512 v) {
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v));
}

CAFFE2RT_AVX512 inline __m128i uint8_of(__m512 v, float inverse, int zero) {
  // Far out values become the least integer, which the offset must not carry round.
  const __m512 scaled = _mm512_min_ps(
      _mm512_max_ps(_mm512_mul_ps(v, _mm512_set1_ps(inverse)), _mm512_set1_ps(-1e6F)), _mm512_set1_ps(1e6F));
  const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), _mm512_set1_epi32(zero));
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(q, _mm512_setzero_si512()));
}

struct FastBfloat16 : ToBfloat16 {
  using ToBfloat16::ToBfloat16, ToBfloat16::operator();
  CAFFE2RT_AVX512 To* operator()(const float* from, size_t count, To* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bfloat16_of(_mm512_loadu_ps(from)));
    const __mmask16 lanes = first_lanes(count);
    if (count) _mm256_mask_storeu_epi16(to, lanes, bfloat16_of(_mm512_maskz_loadu_ps(lanes, from)));
    return to + count;
  }
};

struct FastUint8 : ToUint8 {
  using ToUint8::ToUint8, ToUint8::operator();
  CAFFE2RT_AVX512 To* operator()(const float* from, size_t count, To* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), uint8_of(_mm512_loadu_ps(from), inverse, zero));
    const __mmask16 lanes = first_lanes(count);
    if (count) _mm_mask_storeu_epi8(to, lanes, uint8_of(_mm512_maskz_loadu_ps(lanes, from), inverse, zero));
    return to + count;
  }
  CAFFE2RT_AVX512 To* operator()(const std::uint16_t* from, size_t count, To* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                       uint8_of(load_bfloat16(from, first_lanes(16)), inverse, zero));
    const __mmask16 lanes = first_lanes(count);
    if (count) _mm_mask_storeu_epi8(to, lanes, uint8_of(load_bfloat16(from, lanes), inverse, zero));
    return to + count;
  }
};

struct DotBfloat16 {
  using Sum = __m512;
  CAFFE2RT_AVX512 static Sum dot(Sum sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  CAFFE2RT_AVX512 static Sum load(const float* bits) { return _mm512_loadu_ps(bits); }
  CAFFE2RT_AVX512 static void store(Sum sum, float* bits) { _mm512_storeu_ps(bits, sum); }

  // What the sums of 16 filters from m on stand for.
  struct Scale {
    CAFFE2RT_AVX512 Scale(const Problem&, size_t, __mmask16) {}
    CAFFE2RT_AVX512 __m512 operator()(Sum sum) const { return sum; }
  };
};

struct DotInt8 {
  using Sum = __m512i;
  CAFFE2RT_AVX512 static Sum dot(Sum sum, __m512i a, __m512i b) { return _mm512_dpbusd_epi32(sum, a, b); }
  CAFFE2RT_AVX512 static Sum load(const float* bits) { return _mm512_loadu_si512(bits); }
  CAFFE2RT_AVX512 static void store(Sum sum, float* bits) { _mm512_storeu_si512(bits, sum); }

  struct Scale {
    __m512i offset;
    __m512 scale;
    CAFFE2RT_AVX512 Scale(const Problem& p, size_t m, __mmask16 mask)
        : offset(_mm512_maskz_loadu_epi32(mask, p.offsets + m)),
          scale(_mm512_maskz_loadu_ps(mask, p.scales + m)) {}
    CAFFE2RT_AVX512 __m512 operator()(Sum sum) const {
      return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(sum, offset)), scale);
    }
  };
};

}  // namespace caffe2rt::dot_conv
