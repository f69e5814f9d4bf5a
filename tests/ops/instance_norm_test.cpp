#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(InstanceNorm, NormalisesEachChannel) {
  const auto y = run_operator(
      "InstanceNorm", {tensor({1, 2, 1, 2}, {1, 3, 10, 30}), tensor({2}, {1, 2}), tensor({2}, {0, 5})},
      {{"epsilon", 0.0F}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 2, 1, 2}, {-1, 1, 3, 7}), 1e-6);
}

TEST(InstanceNorm, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5}), scale = random({3}), bias = random({3});
  const auto out = run_operator_outputs("InstanceNorm", {x, scale, bias}, {{"epsilon", 0.01F}}, 3);
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    double sum = 0, squares = 0;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 5; j++) sum += at(x, n, c, i, j);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 5; j++) squares += std::pow(at(x, n, c, i, j) - sum / 20, 2);
    const double inv_std = 1 / std::sqrt(squares / 20 + 0.01);
    ASSERT_NEAR(at(out[1], n, c), sum / 20, 1e-5);
    ASSERT_NEAR(at(out[2], n, c), inv_std, 1e-5);
    ASSERT_NEAR(at(out[0], n, c, h, w), (at(x, n, c, h, w) - sum / 20) * inv_std * at(scale, c) + at(bias, c),
                1e-5);
  });
}

TEST(InstanceNorm, GivesTheSameInNhwcAndInChannelsLastMemory) {
  const auto x = random({2, 6, 3, 4}), scale = random({6}), bias = random({6});
  const auto y = run_operator("InstanceNorm", {x, scale, bias});
  EXPECT_TENSOR_NEAR(
      run_operator("InstanceNorm", {x.contiguous(at::MemoryFormat::ChannelsLast), scale, bias}), y, 1e-5);
  EXPECT_TENSOR_NEAR(
      run_operator("InstanceNorm", {x.permute({0, 2, 3, 1}).contiguous(), scale, bias}, {{"order", "NHWC"}}),
      y.permute({0, 2, 3, 1}), 1e-5);
}

TEST(InstanceNorm, EmptyInputsGiveEmptyOutputs) {
  for (const Shape& shape : {Shape{0, 4, 2, 2}, Shape{2, 4, 0, 2}}) {
    const auto out =
        run_operator_outputs("InstanceNorm", {tensor(shape, {}), random({4}), random({4})}, {}, 3);
    EXPECT_EQ(out[0].sizes().vec(), shape);
    EXPECT_SHAPE(out[1], {shape[0], 4});
  }
}

TEST(InstanceNorm, RefusesWeightsThatDoNotFit) {
  EXPECT_ERROR(run_operator("InstanceNorm", {random({1, 3, 2, 2}), random({2}), random({3})}),
               ErrorCode::kShape, "input 1 'scale': expected (3), got (2)");
  EXPECT_ERROR(compile_operator("InstanceNorm", {random({1, 3, 2, 2}), random({3}), random({2})}),
               ErrorCode::kShape, "input 2 'bias': expected (3), got (2)");
  EXPECT_ERROR(run_operator("InstanceNorm", {random({3}), random({3}), random({3})}), ErrorCode::kShape,
               "expected at least 2 dimensions, got (3)");
  EXPECT_ERROR(
      run_operator("InstanceNorm", {random({1, 3, 2}), random({3}), random({3})}, {{"epsilon", -1.0F}}),
      ErrorCode::kArgument, "argument 'epsilon': expected 0 or more, got -1");
}

}  // namespace
}  // namespace caffe2rt
