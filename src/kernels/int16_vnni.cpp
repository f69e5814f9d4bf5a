// Products of 16 bit integers by AVX-512 with VNNI.
#include "kernels/int16_rows.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#include "kernels/tile_heights.h"
// GCC takes the undefined operand that its own intrinsics pass on for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#define CAFFE2RT_VNNI [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]]

namespace caffe2rt::int16_product {
namespace {

constexpr size_t kPanel = 32;
static_assert(kPanel == matmul::kWidestPanel);

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

}  // namespace

bool has_vnni() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vnni");
  return has;
}

CAFFE2RT_VNNI float quantize_by_vnni(const float* row, size_t count, std::int16_t* to) {
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

void multiply_by_vnni(const Problem& p) {
  for (size_t row = 0, height = 0; row < p.rows; row += height) {
    height = next_height(p.rows - row, kRows);
    for (size_t column = 0; column < p.columns; column += kPanel) tiles_by_height[height - 1](p, row, column);
  }
}

}  // namespace caffe2rt::int16_product

#else

namespace caffe2rt::int16_product {
bool has_vnni() { return false; }
float quantize_by_vnni(const float* row, size_t count, std::int16_t* to) {
  return quantize_plainly(row, count, to);
}
void multiply_by_vnni(const Problem& problem) { multiply_plainly(problem); }
}  // namespace caffe2rt::int16_product

#endif
