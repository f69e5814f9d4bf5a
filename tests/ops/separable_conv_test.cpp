#include "ops/depthwise.h"
#include "ops/matmul_kernel.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A depthwise convolution of X and a 1x1 convolution of its result, in one and as two plain operators.
struct Both {
  Both(Shape x_shape, std::int64_t kernel, std::int64_t stride, std::int64_t filters,
       Shape residual_shape = {})
      : channels(x_shape[1]) {
    const auto x = random(std::move(x_shape)), window = random({channels, 1, kernel, kernel}),
               shift = random({channels}), filter = random({filters, channels, 1, 1}),
               bias = random({filters});
    const Arg windows[] = {{"kernel", kernel}, {"stride", stride}, {"pad", kernel / 2}};
    const Args of_window = {windows[0], windows[1], windows[2], {"group", channels}},
               of_both = {windows[0],
                          windows[1],
                          windows[2],
                          {"caffe2rt.channels", channels},
                          {"caffe2rt.filters", filters},
                          {"caffe2rt.relu_between", 1},
                          {"caffe2rt.relu", 1}};
    const at::Tensor between = run_operator("Relu", {run_operator("Conv", {x, window, shift}, of_window)});
    at::Tensor sum = run_operator("Conv", {between, filter, bias}, {{"kernel", 1}});
    std::vector<at::Tensor> inputs = {x, pack_depthwise(window, shift), pack_matmul(filter, {}), bias};
    if (!residual_shape.empty()) {
      inputs.push_back(random(residual_shape));
      sum = sum + inputs.back();
    }
    plain = run_operator("Relu", {sum});
    joined = run_operator("caffe2rt.SeparableConv", inputs, of_both);
  }
  std::int64_t channels;
  at::Tensor plain, joined;
};

TEST(SeparableConv, AgreesWithTwoPlainConvolutions) {
  const Both y({2, 40, 19, 22}, 3, 1, 70);
  EXPECT_TENSOR_NEAR(y.joined, y.plain, 1e-4);
}

TEST(SeparableConv, AgreesOnStridesAndChannelsOfSeveralSlices) {
  const Both y({1, 700, 11, 9}, 5, 2, 33);
  EXPECT_TENSOR_NEAR(y.joined, y.plain, 1e-3);
}

TEST(SeparableConv, AddsAResidualOfItsShapeOrOneThatIsSpread) {
  for (const Shape& shape : {Shape{2, 24, 6, 7}, Shape{1, 24, 1, 1}, Shape{7}}) {
    const Both y({2, 16, 6, 7}, 3, 1, 24, shape);
    EXPECT_TENSOR_NEAR(y.joined, y.plain, 1e-4);
  }
}

TEST(SeparableConv, EmptyBatchGivesEmptyOutput) {
  const Both y({0, 16, 6, 7}, 3, 2, 24);
  EXPECT_SHAPE(y.joined, {0, 24, 3, 4});
}

TEST(SeparableConv, RefusesAnInputThatDoesNotFit) {
  const auto packed = pack_depthwise(random({16, 1, 3, 3}), std::nullopt);
  const auto run = [&](const Shape& x, std::int64_t kernel, std::int64_t channels) {
    return run_operator("caffe2rt.SeparableConv",
                        {random(x), packed, pack_matmul(random({8, 16, 1, 1}), {}), random({8})},
                        {{"kernel", kernel}, {"caffe2rt.channels", channels}, {"caffe2rt.filters", 8}});
  };
  EXPECT_ERROR(run({1, 18, 5, 5}, 3, 16), ErrorCode::kShape, "input 0 'X': expected 16 channels, got 18");
  EXPECT_ERROR(run({1, 16, 5, 5}, 5, 16), ErrorCode::kShape,
               "input 1 'depthwise': expected (26,16), got (10,16)");
  EXPECT_ERROR(run({1, 16, 5, 5}, 3, 8), ErrorCode::kArgument, "expected at least 16 and 1, got 8 and 8");
}

}  // namespace
}  // namespace caffe2rt
