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

struct FastBfloat16 : ToBfloat16 {
  using ToBfloat16::ToBfloat16;
  CAFFE2RT_AVX512 std::uint16_t* operator()(const float* from, size_t count, std::uint16_t* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), convert(_mm512_loadu_ps(from)));
    const __mmask16 lanes = first_lanes(count);
    if (count) _mm256_mask_storeu_epi16(to, lanes, convert(_mm512_maskz_loadu_ps(lanes, from)));
    return to + count;
  }

 private:
  CAFFE2RT_AVX512 static __m256i convert(__m512 v) {
    return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v));
  }
};

struct FastUint8 : ToUint8 {
  using ToUint8::ToUint8;
  CAFFE2RT_AVX512 std::uint8_t* operator()(const float* from, size_t count, std::uint8_t* to) const {
    for (; count >= 16; count -= 16, from += 16, to += 16)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), convert(_mm512_loadu_ps(from)));
    const __mmask16 lanes = first_lanes(count);
    if (count) _mm_mask_storeu_epi8(to, lanes, convert(_mm512_maskz_loadu_ps(lanes, from)));
    return to + count;
  }

 private:
  CAFFE2RT_AVX512 __m128i convert(__m512 v) const {
    // Far out values become the least integer, which the offset must not carry round.
    const __m512 scaled =
        _mm512_min_ps(_mm512_max_ps(_mm512_mul_ps(v, _mm512_set1_ps(inverse)), _mm512_set1_ps(-1e6F)),
                      _mm512_set1_ps(1e6F));
    const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(scaled), _mm512_set1_epi32(zero));
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(q, _mm512_setzero_si512()));
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

}  // namespace caffe2rt::dot_conv
