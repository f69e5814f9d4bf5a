#include "kernels/int16_product.h"

#include <algorithm>
#include <cmath>

#include "kernels/int16_rows.h"

namespace caffe2rt::int16_product {

float scale_of_column(const float* numbers, size_t depth, size_t step) {
  double squares = 0;
  float largest = 0;
  for (size_t k = 0; k < depth; k++) {
    const float number = numbers[k * step];
    squares += static_cast<double>(number) * number;
    largest = std::max(largest, std::abs(number));
  }
  const auto length = static_cast<float>(std::sqrt(squares));
  return length > 0 ? std::max(length / kColumnLength, largest / kLargest) : 0;
}

float pack_column(const float* numbers, size_t depth, size_t step, size_t panel, std::int16_t* packed,
                  size_t column) {
  std::int16_t* to = packed + offset(column, pairs_of(depth), panel) * 2;
  const float scale = scale_of_column(numbers, depth, step), inverse = scale > 0 ? 1 / scale : 0;
  for (size_t k = 0; k < 2 * pairs_of(depth); k++)
    to[k / 2 * panel * 2 + k % 2] = k < depth ? round_to_int16(numbers[k * step], inverse) : std::int16_t{0};
  return scale;
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
    for (size_t m = 0; m < p.columns; m++) {
      const std::int16_t* column = b + offset(m, p.pairs, p.panel) * 2;
      std::int32_t sum = 0;
      for (size_t k = 0; k < 2 * p.pairs; k++) sum += a[k] * column[k / 2 * p.panel * 2 + k % 2];
      p.c[r * p.c_step + m] = static_cast<float>(sum) * (p.row_scales[r] * p.column_scales[m]);
    }
  }
}

size_t panel_width() { return has_vnni() ? matmul::kWidestPanel : matmul::panel_width(); }

float quantize(const float* row, size_t count, std::int16_t* to) {
  return has_vnni() ? quantize_by_vnni(row, count, to) : quantize_by_vectors(row, count, to);
}

void multiply(const Problem& problem) {
  if (has_vnni())
    multiply_by_vnni(problem);
  else
    multiply_by_vectors(problem);
}

}  // namespace caffe2rt::int16_product
