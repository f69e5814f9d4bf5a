#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args kArgs = {{"size", 3}, {"alpha", 3.0F}, {"beta", 0.5F}};

TEST(LRN, DividesByTheNeighboursAmongTheChannels) {
  // 1 / sqrt(1 + 1 + 4) and so on: with alpha / size = 1 the sums of squares are 5, 9, 8.
  const auto y = run_operator("LRN", {tensor({1, 3, 1, 1}, {1, 2, 2})}, kArgs);
  EXPECT_TENSOR_NEAR(y, tensor({1, 3, 1, 1}, {1 / std::sqrt(6.0F), 2 / std::sqrt(10.0F), 2.0F / 3}), 1e-6);
}

TEST(LRN, AgreesWithAPlainLoop) {
  const auto x = random({2, 5, 3, 2});
  for (const int size : {1, 2, 3, 4, 9, 14, 99}) {
    const auto y =
        run_operator("LRN", {x}, {{"size", size}, {"alpha", 0.7F}, {"beta", 0.75F}, {"bias", 2.0F}});
    for_each_index(x, [&](auto n, auto c, auto h, auto w) {
      double sum = 0;
      for (auto j = c - (size - 1) / 2; j < c - (size - 1) / 2 + size; j++)
        if (j >= 0 && j < x.size(1)) sum += at(x, n, j, h, w) * at(x, n, j, h, w);
      ASSERT_NEAR(at(y, n, c, h, w), at(x, n, c, h, w) * std::pow(2 + 0.7 / size * sum, -0.75), 1e-6) << size;
    });
  }
}

TEST(LRN, GivesTheSameInNhwc) {
  const auto x = random({2, 5, 3, 2});
  Args nhwc = kArgs;
  nhwc.emplace_back("order", "NHWC");
  EXPECT_TENSOR_NEAR(run_operator("LRN", {x.permute({0, 2, 3, 1}).contiguous()}, nhwc).permute({0, 3, 1, 2}),
                     run_operator("LRN", {x}, kArgs), 1e-6);
}

TEST(LRN, SecondOutputIsTheScale) {
  const auto out = run_operator_outputs("LRN", {tensor({1, 3, 1, 1}, {1, 2, 2})}, kArgs, 2);
  EXPECT_TENSOR_EQ(out[1], tensor({1, 3, 1, 1}, {6, 10, 9}));
}

TEST(LRN, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("LRN", {tensor({0, 3, 2, 2}, {})}, kArgs), {0, 3, 2, 2});
}

TEST(LRN, RefusesOtherRanksAndSizes) {
  EXPECT_ERROR(run_operator("LRN", {random({3, 2, 2})}, kArgs), ErrorCode::kShape,
               "expected 4 dimensions, got (3,2,2)");
  EXPECT_ERROR(run_operator("LRN", {random({1, 3, 2, 2})}), ErrorCode::kArgument,
               "argument 'size': expected at least 1");
}

}  // namespace
}  // namespace caffe2rt
