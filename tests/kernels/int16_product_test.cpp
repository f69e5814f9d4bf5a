#include "kernels/int16_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/arrays.h"
#include "kernels/int16_rows.h"

namespace caffe2rt {
namespace {

using int16_product::pairs_of;

// a (rows,depth) times b (depth,columns), both of what `number` gives.
struct Product {
  size_t rows, depth, columns, panel, whole = matmul::count_columns(columns);
  std::vector<float> a, b, c, row_scales, column_scales;
  Aligned<std::int32_t> quantized = Aligned<std::int32_t>(rows * pairs_of(depth)),
                        packed = Aligned<std::int32_t>(int16_product::packed_size(depth, whole));

  template <class Number>
  Product(size_t r, size_t k, size_t m, Number&& number, size_t panel_width = int16_product::panel_width())
      : rows(r), depth(k), columns(m), panel(panel_width), c(rows * whole), column_scales(whole) {
    for (size_t i = 0; i < rows * depth; i++) a.push_back(number());
    for (size_t i = 0; i < depth * columns; i++) b.push_back(number());
    for (size_t i = 0; i < columns; i++)
      column_scales[i] = int16_product::pack_column(b.data() + i, depth, columns, panel,
                                                    reinterpret_cast<std::int16_t*>(packed.data()), i);
  }

  void run(float (*quantize)(const float*, size_t, std::int16_t*),
           void (*multiply)(const int16_product::Problem&)) {
    row_scales.clear();
    for (size_t r = 0; r < rows; r++)
      row_scales.push_back(quantize(a.data() + r * depth, depth,
                                    reinterpret_cast<std::int16_t*>(quantized.data() + r * pairs_of(depth))));
    multiply({.a = quantized.data(),
              .a_step = pairs_of(depth),
              .rows = rows,
              .pairs = pairs_of(depth),
              .columns = whole,
              .panel = panel,
              .packed = packed.data(),
              .row_scales = row_scales.data(),
              .column_scales = column_scales.data(),
              .c = c.data(),
              .c_step = whole});
  }

  float result(size_t r, size_t m) const { return c[r * whole + m]; }
  double expected(size_t r, size_t m) const {
    double sum = 0;
    for (size_t k = 0; k < depth; k++) sum += static_cast<double>(a[r * depth + k]) * b[k * columns + m];
    return sum;
  }
};

auto normal() {
  return [generator = std::mt19937(1), distribution = std::normal_distribution<float>()]() mutable {
    return distribution(generator);
  };
}

TEST(Int16Product, IsTheProduct) {
  for (const size_t depth : {1U, 2U, 17U, 64U, 301U})
    for (const size_t rows : {1U, 14U, 29U}) {
      Product product(rows, depth, 37, normal());
      product.run(int16_product::quantize, int16_product::multiply);
      for (size_t r = 0; r < rows; r++)
        for (size_t m = 0; m < product.columns; m++)
          ASSERT_NEAR(product.result(r, m), product.expected(r, m), 1e-3 * std::sqrt(depth))
              << "depth " << depth << ", row " << r << ", column " << m;
    }
}

TEST(Int16Product, TheProcessorsInstructionsVectorsAndPlainCodeAgree) {
  const size_t widest = matmul::kWidestPanel;
  Product fast(23, 75, 50, normal()), plain(23, 75, 50, normal());
  fast.run(int16_product::quantize, int16_product::multiply);
  plain.run(int16_product::quantize_plainly, int16_product::multiply_plainly);
  for (const size_t panel : {matmul::panel_width(), widest}) {
    Product vectors(23, 75, 50, normal(), panel);
    vectors.run(int16_product::quantize_by_vectors, int16_product::multiply_by_vectors);
    for (size_t i = 0; i < plain.c.size(); i++) {
      ASSERT_NEAR(fast.c[i], plain.c[i], 2e-3) << i;
      ASSERT_NEAR(vectors.c[i], plain.c[i], 2e-3) << "panels of " << panel << " columns, " << i;
    }
  }
}

// Equal numbers make the largest sums there are.
TEST(Int16Product, SumsDoNotOverflow) {
  for (const size_t depth : {1U, 2U, 3U, 512U, 20000U}) {
    Product product(2, depth, 3, [] { return 2.F; });
    product.run(int16_product::quantize, int16_product::multiply);
    EXPECT_NEAR(product.result(1, 2) / product.expected(1, 2), 1, 1e-2) << "depth " << depth;
  }
}

TEST(Int16Product, WhatIsNotANumberStaysInItsRow) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Product product(3, 40, 8, normal());
    product.a[40 + 5] = bad;
    product.run(int16_product::quantize, int16_product::multiply);
    for (size_t m = 0; m < 8; m++) {
      EXPECT_TRUE(std::isnan(product.result(1, m)));
      EXPECT_NEAR(product.result(0, m), product.expected(0, m), 1e-2);
      EXPECT_NEAR(product.result(2, m), product.expected(2, m), 1e-2);
    }
  }
}

TEST(Int16Product, RowsAndColumnsOfZerosGiveZeros) {
  Product product(2, 6, 2, [] { return 0.F; });
  product.run(int16_product::quantize, int16_product::multiply);
  for (const float c : product.c) EXPECT_EQ(c, 0);
}

TEST(Int16Product, QuantizesInPlace) {
  auto number = normal();
  std::vector<float> row(50);
  for (float& v : row) v = number();
  const std::vector<float> before = row;
  auto* integers = reinterpret_cast<std::int16_t*>(row.data());
  const float scale = int16_product::quantize(row.data(), row.size(), integers);
  for (size_t i = 0; i < before.size(); i++) EXPECT_NEAR(integers[i] * scale, before[i], 0.51 * scale) << i;
}

}  // namespace
}  // namespace caffe2rt
