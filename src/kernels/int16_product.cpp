#include "kernels/int16_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/tile_heights.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
// GCC takes the undefined operand that its own intrinsics pass on for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#define CAFFE2RT_INT16_X86 1
#define CAFFE2RT_VNNI [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]]
#endif

namespace caffe2rt::int16_product {
namespace {

// How long rows and columns may be: a sum of products is at most the product of the two, which with what
// rounding adds stays below 2^31. No element of a row is larger than its length.
constexpr float kLargest = 32767, kRowLength = 32767, kColumnLength = 65000;

// What stands for a row of this length: no number for a length that is none.
float scale_of(float length) {
  return std::isfinite(length) ? length / kRowLength : std::numeric_limits<float>::quiet_NaN();
}
float inverse_of(float length) { return length > 0 && std::isfinite(length) ? kRowLength / length : 0; }

// What is not a number becomes 0, as all of its row.
std::int16_t round_to_int16(float value, float inverse) {
  const float rounded = std::nearbyint(value * inverse);
  return static_cast<std::int16_t>(std::isnan(rounded) ? 0 : std::clamp(rounded, -kLargest, kLargest));
}

}  // namespace

float pack_column(const float* numbers, size_t depth, size_t step, std::int16_t* packed, size_t column) {
  double squares = 0;
  float largest = 0;
  for (size_t k = 0; k < depth; k++) {
    const float number = numbers[k * step];
    squares += static_cast<double>(number) * number;
    largest = std::max(largest, std::abs(number));
  }
  std::int16_t* to = packed + (column / kPanel * pairs_of(depth) * kPanel + column % kPanel) * 2;
  const auto length = static_cast<float>(std::sqrt(squares));
  const float inverse = length > 0 ? std::min(kColumnLength / length, kLargest / largest) : 0;
  for (size_t k = 0; k < 2 * pairs_of(depth); k++)
    to[k / 2 * kPanel * 2 + k % 2] = k < depth ? round_to_int16(numbers[k * step], inverse) : std::int16_t{0};
  return inverse > 0 ? 1 / inverse : 0;
}

float quantize_plainly(const float* row, size_t count, std::int16_t* to) {
  float squares = 0;
  for (size_t i = 0; i < count; i++) squares += row[i] * row[i];
  const float length = std::sqrt(squares), inverse = inverse_of(length);
  for (size_t i = 0; i < count; i++) to[i] = round_to_int16(row[i], inverse);
  if (count % 2 != 0) to[count] = 0;
  return scale_of(length);
}

void multiply_plainly(const Problem& p) {
  const auto* b = reinterpret_cast<const std::int16_t*>(p.packed);
  for (size_t r = 0; r < p.rows; r++) {
    const auto* a = reinterpret_cast<const std::int16_t*>(p.a + r * p.a_step);
    for (size_t m = 0; m < p.panels * kPanel; m++) {
      const std::int16_t* column = b + (m / kPanel * p.pairs * kPanel + m % kPanel) * 2;
      std::int32_t sum = 0;
      for (size_t k = 0; k < 2 * p.pairs; k++) sum += a[k] * column[k / 2 * kPanel * 2 + k % 2];
      p.c[r * p.c_step + m] = static_cast<float>(sum) * (p.row_scales[r] * p.column_scales[m]);
    }
  }
}

#ifdef CAFFE2RT_INT16_X86

namespace {

CAFFE2RT_VNNI float quantize_fast(const float* row, size_t count, std::int16_t* to) {
  const size_t whole = count / 16 * 16;
  const auto rest = static_cast<__mmask16>((1U << (count - whole)) - 1);
  __m512 squares = _mm512_setzero_ps();
  for (size_t i = 0; i < whole; i += 16) {
    const __m512 v = _mm512_loadu_ps(row + i);
    squares = _mm512_fmadd_ps(v, v, squares);
  }
  const __m512 last = _mm512_maskz_loadu_ps(rest, row + whole);
  const float length = std::sqrt(_mm512_reduce_add_ps(_mm512_fmadd_ps(last, last, squares)));
  const __m512 inverse = _mm512_set1_ps(inverse_of(length));
  const bool finite = std::isfinite(length);
  // A row that is not finite is one of zeros: times its scale, no numbers.
  const __mmask16 kept = finite ? 0xffff : 0;
  for (size_t i = 0; i < whole; i += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm512_cvtsepi32_epi16(_mm512_maskz_cvtps_epi32(
                            kept, _mm512_mul_ps(_mm512_loadu_ps(row + i), inverse))));
  const auto rest_of_pairs = static_cast<__mmask16>((1U << (2 * pairs_of(count) - whole)) - 1);
  _mm256_mask_storeu_epi16(
      to + whole, rest_of_pairs,
      _mm512_cvtsepi32_epi16(_mm512_maskz_cvtps_epi32(kept, _mm512_mul_ps(last, inverse))));
  return scale_of(length);
}

// Integers of some rows and of a panel's columns -> what they stand for.
CAFFE2RT_VNNI void scale_rows(const Problem& p, size_t row, size_t rows, size_t column) {
  const __m512 scales[2] = {_mm512_loadu_ps(p.column_scales + column),
                            _mm512_loadu_ps(p.column_scales + column + 16)};
  for (size_t r = row; r < row + rows; r++) {
    float* c = p.c + r * p.c_step + column;
    const __m512 scale = _mm512_set1_ps(p.row_scales[r]);
#pragma GCC unroll 2
    for (int v = 0; v < 2; v++)
      _mm512_storeu_ps(c + v * 16, _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(c + v * 16)),
                                                 _mm512_mul_ps(scales[v], scale)));
  }
}

template <size_t kHeight>
CAFFE2RT_VNNI void multiply_tile(const Problem& p, size_t row, size_t column) {
  const std::int32_t* a = p.a + row * p.a_step;
  const std::int32_t* panel = p.packed + column * p.pairs;
  __m512i left[kHeight], right[kHeight];  // of the panel
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++) left[r] = right[r] = _mm512_setzero_si512();
  for (size_t k = 0; k < p.pairs; k++) {
    const __m512i b[2] = {_mm512_load_si512(panel + k * kPanel), _mm512_load_si512(panel + k * kPanel + 16)};
#pragma GCC unroll 16
    for (size_t r = 0; r < kHeight; r++) {
      const __m512i x = _mm512_set1_epi32(a[r * p.a_step + k]);
      left[r] = _mm512_dpwssd_epi32(left[r], x, b[0]);
      right[r] = _mm512_dpwssd_epi32(right[r], x, b[1]);
    }
  }
  // Written as they are, then scaled: the scales would push sums out of the registers, into the loop's way.
  float* c = p.c + row * p.c_step + column;
#pragma GCC unroll 16
  for (size_t r = 0; r < kHeight; r++) {
    _mm512_storeu_si512(c + r * p.c_step, left[r]);
    _mm512_storeu_si512(c + r * p.c_step + 16, right[r]);
  }
  asm volatile("" ::: "memory");
  scale_rows(p, row, kHeight, column);
}

constexpr size_t kRows = 14;  // of a tile at most: as many as keep all sums in registers
constexpr auto tiles_by_height = by_height<kRows>([]<size_t kHeight> { return &multiply_tile<kHeight>; });

void multiply_by_vectors(const Problem& p) {
  for (size_t row = 0, height = 0; row < p.rows; row += height) {
    height = next_height(p.rows - row, kRows);
    for (size_t column = 0; column < p.panels * kPanel; column += kPanel)
      tiles_by_height[height - 1](p, row, column);
  }
}

}  // namespace

bool is_fast() {
  static const bool fast = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                           __builtin_cpu_supports("avx512vnni");
  return fast;
}

float quantize(const float* row, size_t count, std::int16_t* to) {
  return is_fast() ? quantize_fast(row, count, to) : quantize_plainly(row, count, to);
}

void multiply(const Problem& problem) {
  if (is_fast())
    multiply_by_vectors(problem);
  else
    multiply_plainly(problem);
}

#else

bool is_fast() { return false; }
float quantize(const float* row, size_t count, std::int16_t* to) { return quantize_plainly(row, count, to); }
void multiply(const Problem& problem) { multiply_plainly(problem); }

#endif

}  // namespace caffe2rt::int16_product
