#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args kTest = {{"is_test", 1}};

TEST(SpatialBN, NormalisesWithTheGivenStatistics) {
  const auto y = run_operator("SpatialBN",
                              {tensor({1, 2, 1, 2}, {1, 3, 10, 30}), tensor({2}, {1, 2}), tensor({2}, {0, 5}),
                               tensor({2}, {1, 20}), tensor({2}, {4, 25})},
                              {{"is_test", 1}, {"epsilon", 0.0F}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 2, 1, 2}, {0, 1, 1, 9}), 1e-6);
}

TEST(SpatialBN, AgreesWithAPlainLoop) {
  const auto x = random({2, 4, 3, 5}), scale = random({4}), bias = random({4}), mean = random({4}),
             var = random({4}).abs();
  const auto y = run_operator("SpatialBN", {x, scale, bias, mean, var}, {{"is_test", 1}, {"epsilon", 0.1F}});
  for_each_index(x, [&](auto n, auto c, auto h, auto w) {
    const double expected =
        (at(x, n, c, h, w) - at(mean, c)) / std::sqrt(at(var, c) + 0.1) * at(scale, c) + at(bias, c);
    ASSERT_NEAR(at(y, n, c, h, w), expected, 2e-5);
  });
}

TEST(SpatialBN, TakesTheLastAxisInNhwcAndAnyRank) {
  const auto x = random({2, 4, 3, 5});
  const std::vector<at::Tensor> p = {random({4}), random({4}), random({4}), random({4}).abs()};
  const auto y = run_operator("SpatialBN", {x, p[0], p[1], p[2], p[3]}, kTest);
  EXPECT_TENSOR_NEAR(run_operator("SpatialBN", {x.permute({0, 2, 3, 1}).contiguous(), p[0], p[1], p[2], p[3]},
                                  {{"is_test", 1}, {"order", "NHWC"}}),
                     y.permute({0, 2, 3, 1}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("SpatialBN", {x.select(3, 0).select(2, 0), p[0], p[1], p[2], p[3]}, kTest),
                     y.select(3, 0).select(2, 0), 1e-6);
}

TEST(SpatialBN, EmptyBatchGivesEmptyOutput) {
  const auto c = random({4});
  EXPECT_SHAPE(run_operator("SpatialBN", {tensor({0, 4, 2, 2}, {}), c, c, c, c}, kTest), {0, 4, 2, 2});
}

TEST(SpatialBN, RefusesTrainingNets) {
  const auto x = random({1, 4, 2, 2}), c = random({4});
  EXPECT_ERROR(run_operator("SpatialBN", {x, c, c, c, c}), ErrorCode::kUnsupported,
               "argument 'is_test': expected 1");
}

TEST(SpatialBN, RefusesStatisticsOfAnotherLength) {
  const auto x = random({1, 4, 2, 2}), c = random({4});
  EXPECT_ERROR(run_operator("SpatialBN", {x, c, c, random({3}), c}, kTest), ErrorCode::kShape,
               "input 3 'mean': expected (4), got (3)");
  EXPECT_ERROR(run_operator("SpatialBN", {x, c, c, c, c}, {{"is_test", 1}, {"epsilon", -1.0F}}),
               ErrorCode::kArgument, "'epsilon'");
}

}  // namespace
}  // namespace caffe2rt
