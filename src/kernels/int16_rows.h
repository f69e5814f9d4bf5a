// What the ways to compute int16_product.h share: how rows become integers, and which ways there are.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/int16_product.h"

namespace caffe2rt::int16_product {

// How long rows and columns may be: a sum of products is at most the product of the two, which with what
// rounding adds stays below 2^31. No element of a row is larger than its length.
constexpr float kLargest = 32767, kRowLength = 32767, kColumnLength = 65000;

// What stands for a row of this length: no number for a length that is none.
inline float scale_of(float length) {
  return std::isfinite(length) ? length / kRowLength : std::numeric_limits<float>::quiet_NaN();
}
inline float inverse_of(float length) {
  return length > 0 && std::isfinite(length) ? kRowLength / length : 0;
}

// What is not a number becomes 0, as all of its row.
inline std::int16_t round_to_int16(float value, float inverse) {
  const float rounded = std::nearbyint(value * inverse);
  return static_cast<std::int16_t>(std::isnan(rounded) ? 0 : std::clamp(rounded, -kLargest, kLargest));
}

// By vectors of any processor.
float quantize_by_vectors(const float* row, size_t count, std::int16_t* to);
void multiply_by_vectors(const Problem& problem);

// By AVX-512. REQUIRES: has_vnni(), and panels as wide as can be.
bool has_vnni();
float quantize_by_vnni(const float* row, size_t count, std::int16_t* to);
void multiply_by_vnni(const Problem& problem);

}  // namespace caffe2rt::int16_product
