#include "kernels/tile_product.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace caffe2rt {
namespace {

using tile_product::kColumns;
using tile_product::kRows;
using tile_product::kStep;

// a (32,2 steps) and b (2 steps,32) of random bytes, or of bfloat16 that are small whole numbers: sums of
// such are exact in any order.
struct Matrices {
  std::vector<std::int32_t> a = std::vector<std::int32_t>(kRows * 2 * kStep),
                            b = std::vector<std::int32_t>(2 * kStep * kColumns);
  alignas(64) std::array<float, kRows* kColumns> sums = {};

  explicit Matrices(bool bfloat16) {
    std::mt19937 generator(1);
    const auto number = [&] { return static_cast<float>(static_cast<int>(generator() % 17) - 8); };
    for (auto* matrix : {&a, &b})
      for (std::int32_t& group : *matrix) {
        group = static_cast<std::int32_t>(generator());
        if (!bfloat16) continue;
        const float numbers[2] = {number(), number()};
        for (int i = 0; i < 2; i++)
          std::memcpy(reinterpret_cast<char*>(&group) + 2 * i, reinterpret_cast<const char*>(&numbers[i]) + 2,
                      2);  // the upper half, little endian
      }
  }

  // Two steps one after the other, to see that the second adds to the first.
  std::array<float, kRows * kColumns> multiply(void (*by)(const tile_product::Problem&)) {
    const std::int32_t offsets[] = {0, kStep};
    by({.a = a.data(),
        .a_step = 2 * kStep,
        .offsets = offsets,
        .b = b.data(),
        .steps = 1,
        .sums = sums.data()});
    by({.a = a.data(),
        .a_step = 2 * kStep,
        .offsets = offsets + 1,
        .b = b.data() + kStep * kColumns,
        .steps = 1,
        .first = false,
        .sums = sums.data()});
    return sums;
  }
};

TEST(TileProduct, SumsProductsOfPairsOfBfloat16) {
  Matrices matrices(true);
  const auto sums = matrices.multiply(tile_product::multiply_bfloat16_plainly);
  const auto value = [](std::int32_t group, int i) {
    float v = 0;
    std::memcpy(reinterpret_cast<char*>(&v) + 2, reinterpret_cast<const char*>(&group) + 2 * i, 2);
    return v;
  };
  for (size_t r = 0; r < kRows; r++)
    for (size_t m = 0; m < kColumns; m++) {
      float expected = 0;
      for (size_t k = 0; k < 2 * kStep; k++)
        for (int i = 0; i < 2; i++)
          expected += value(matrices.a[r * 2 * kStep + k], i) * value(matrices.b[k * kColumns + m], i);
      ASSERT_EQ(sums[r * kColumns + m], expected) << "row " << r << ", column " << m;
    }
}

TEST(TileProduct, SumsProductsOfFourUnsignedAndSignedBytes) {
  Matrices matrices(false);
  const auto sums = matrices.multiply(tile_product::multiply_int8_plainly);
  const auto* a = reinterpret_cast<const std::uint8_t*>(matrices.a.data());
  const auto* b = reinterpret_cast<const std::int8_t*>(matrices.b.data());
  for (size_t r = 0; r < kRows; r++)
    for (size_t m = 0; m < kColumns; m++) {
      std::int32_t expected = 0, sum = 0;
      for (size_t k = 0; k < 8 * kStep; k++)
        expected += a[r * 8 * kStep + k] * b[(k / 4 * kColumns + m) * 4 + k % 4];
      std::memcpy(&sum, &sums[r * kColumns + m], sizeof(sum));
      ASSERT_EQ(sum, expected) << "row " << r << ", column " << m;
    }
}

TEST(TileProduct, TileRegistersSumTheSame) {
  if (!tile_product::has_bfloat16() || !tile_product::has_int8())
    GTEST_SKIP() << "this processor has no tile registers (AMX)";
  const tile_product::Registers registers;
  EXPECT_EQ(Matrices(true).multiply(tile_product::multiply_bfloat16),
            Matrices(true).multiply(tile_product::multiply_bfloat16_plainly));
  Matrices by_registers(false), plain(false);  // bits of integers may be those of not-a-numbers
  by_registers.multiply(tile_product::multiply_int8);
  plain.multiply(tile_product::multiply_int8_plainly);
  EXPECT_EQ(std::memcmp(by_registers.sums.data(), plain.sums.data(), sizeof(plain.sums)), 0);
}

}  // namespace
}  // namespace caffe2rt
