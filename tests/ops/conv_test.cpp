#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(Conv, SumsTheWindowUnderTheFilter) {
  const auto x = tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto y =
      run_operator("Conv", {x, tensor({1, 1, 2, 2}, {1, 0, 0, 10}), tensor({1}, {0.5F})}, {{"kernel", 2}});
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 2, 2}, {51.5F, 62.5F, 84.5F, 95.5F}));
}

// Y by the formula, with this padding in front.
at::Tensor slow_conv(const at::Tensor& x, const at::Tensor& filter, const at::Tensor& bias,
                     const Shape& y_shape, std::int64_t stride, std::int64_t dilation, std::int64_t top,
                     std::int64_t left, std::int64_t group) {
  at::Tensor y = random(y_shape);
  const std::int64_t per_group = filter.size(0) / group;
  for_each_index(y, [&](auto n, auto m, auto i, auto j) {
    double sum = at(bias, m);
    for (std::int64_t c = 0; c < filter.size(1); c++)
      for (std::int64_t kh = 0; kh < filter.size(2); kh++)
        for (std::int64_t kw = 0; kw < filter.size(3); kw++) {
          const std::int64_t h = i * stride + kh * dilation - top, w = j * stride + kw * dilation - left;
          if (h < 0 || h >= x.size(2) || w < 0 || w >= x.size(3)) continue;
          sum += static_cast<double>(at(filter, m, c, kh, kw)) *
                 at(x, n, m / per_group * filter.size(1) + c, h, w);
        }
    y.data_ptr<float>()[((n * y.size(1) + m) * y.size(2) + i) * y.size(3) + j] = static_cast<float>(sum);
  });
  return y;
}

TEST(Conv, AgreesWithAPlainLoopOnGroupsStrideDilationAndUnevenPadding) {
  const auto x = random({2, 6, 11, 10}), filter = random({4, 3, 3, 2}), bias = random({4});
  const auto y = run_operator(
      "Conv", {x, filter, bias},
      {{"kernels", Ints{3, 2}}, {"stride", 2}, {"dilation", 2}, {"pads", Ints{3, 0, 1, 2}}, {"group", 2}});
  EXPECT_TENSOR_NEAR(y, slow_conv(x, filter, bias, {2, 4, 6, 5}, 2, 2, 3, 0, 2), 1e-5);
}

TEST(Conv, AgreesWithAPlainLoopWithoutBiasInSamePadding) {
  const auto x = random({1, 3, 8, 9}), filter = random({5, 3, 3, 3}), no_bias = tensor({5}, {0, 0, 0, 0, 0});
  const auto y = run_operator("Conv", {x, filter}, {{"kernel", 3}, {"stride", 2}, {"legacy_pad", 2}});
  EXPECT_TENSOR_NEAR(y, slow_conv(x, filter, no_bias, {1, 5, 4, 5}, 2, 1, 0, 1, 1), 1e-5);
}

TEST(Conv, GivesTheSameInNhwc) {
  const auto x = random({2, 4, 7, 6}), filter = random({6, 2, 3, 3}), bias = random({6});
  const Args args = {{"kernel", 3}, {"pad", 1}, {"group", 2}};
  Args nhwc = args;
  nhwc.emplace_back("order", "NHWC");
  const auto y = run_operator(
      "Conv", {x.permute({0, 2, 3, 1}).contiguous(), filter.permute({0, 2, 3, 1}).contiguous(), bias}, nhwc);
  EXPECT_TENSOR_NEAR(y.permute({0, 3, 1, 2}), run_operator("Conv", {x, filter, bias}, args), 1e-5);
}

TEST(Conv, DoesNotCareForTheMemoryLayoutOfItsInput) {
  const auto x = random({2, 4, 7, 6}), filter = random({6, 4, 3, 3});
  const auto last = x.contiguous(at::MemoryFormat::ChannelsLast),
             part = x.transpose(2, 3).contiguous().transpose(2, 3);
  const auto y = run_operator("Conv", {x, filter}, {{"kernel", 3}});
  EXPECT_TENSOR_NEAR(run_operator("Conv", {last, filter}, {{"kernel", 3}}), y, 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("Conv", {part, filter}, {{"kernel", 3}}), y, 1e-6);
}

TEST(Conv, WorksOnOneAndThreeAxes) {
  const auto line = tensor({1, 1, 4}, {1, 2, 3, 4});
  EXPECT_TENSOR_EQ(run_operator("Conv", {line, tensor({1, 1, 2}, {1, 10})}, {{"kernels", Ints{2}}}),
                   tensor({1, 1, 3}, {21, 32, 43}));
  const auto cube = tensor({1, 1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_TENSOR_EQ(run_operator("Conv", {cube, tensor({1, 1, 2, 2, 2}, {1, 0, 0, 0, 0, 0, 0, 10})},
                                {{"kernels", Ints{2, 2, 2}}}),
                   tensor({1, 1, 1, 1, 1}, {81}));
}

TEST(Conv, NegativePaddingCutsOff) {
  const auto x = tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_TENSOR_EQ(run_operator("Conv", {x, tensor({1, 1, 1, 1}, {2})}, {{"kernel", 1}, {"pad", -1}}),
                   tensor({1, 1, 1, 1}, {10}));
}

TEST(Conv, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(
      run_operator("Conv", {tensor({0, 2, 5, 5}, {}), random({3, 2, 3, 3})}, {{"kernel", 3}, {"stride", 2}}),
      {0, 3, 2, 2});
}

TEST(Conv, RefusesAFilterThatDoesNotFit) {
  const auto x = random({1, 4, 5, 5});
  EXPECT_ERROR(run_operator("Conv", {x, random({6, 3, 3, 3})}, {{"kernel", 3}}), ErrorCode::kShape,
               "input 1 'filter': expected (6,4,3,3), got (6,3,3,3)");
  EXPECT_ERROR(run_operator("Conv", {x, random({6, 4, 3, 3})}, {{"kernel", 5}}), ErrorCode::kShape,
               "input 1 'filter': expected (6,4,5,5), got (6,4,3,3)");
  EXPECT_ERROR(run_operator("Conv", {x, random({6, 4, 3, 3}), random({5})}, {{"kernel", 3}}),
               ErrorCode::kShape, "input 2 'bias': expected (6), got (5)");
  EXPECT_ERROR(run_operator("Conv", {x, random({6, 2, 3, 3})}, {{"kernel", 3}, {"group", 3}}),
               ErrorCode::kShape, "expected a number of channels that 3 groups divide, got 4");
  EXPECT_ERROR(run_operator("Conv", {random({5, 4, 5}), random({6, 4, 3, 3})}, {{"kernel", 3}}),
               ErrorCode::kShape, "input 0 'X': expected (?,?,?,?), got (5,4,5)");
}

TEST(Conv, RefusesWrongWeightsBeforeARun) {
  EXPECT_ERROR(compile_operator("Conv", {random({1, 4, 5, 5}), random({6, 3, 3, 3})}, {{"kernel", 3}}),
               ErrorCode::kShape, "input 1 'filter'");
}

TEST(Conv, RefusesArgumentsItHasNoUseFor) {
  const std::vector<at::Tensor> in = {random({1, 4, 5, 5}), random({6, 4, 3, 3})};
  EXPECT_ERROR(run_operator("Conv", in, {{"global_pooling", 1}}), ErrorCode::kArgument, "'global_pooling'");
  EXPECT_ERROR(run_operator("Conv", in, {{"kernel", 3}, {"group", 0}}), ErrorCode::kArgument, "'group'");
}

TEST(Conv, RefusesAnAbsurdOutput) {
  EXPECT_ERROR(
      run_operator("Conv", {random({1, 1, 1, 1}), random({1, 1, 1, 1})}, {{"kernel", 1}, {"pad", 1 << 20}}),
      ErrorCode::kLimit, "expected at most");
}

TEST(Conv, EndsWithARelu) {
  const auto x = random({2, 3, 6, 5}), filter = random({4, 3, 3, 3});
  const auto y = run_operator("Conv", {x, filter}, {{"kernel", 3}});
  EXPECT_TENSOR_EQ(run_operator("Conv", {x, filter}, {{"kernel", 3}, {"caffe2rt.relu", 1}}),
                   run_operator("Relu", {y}));
}

}  // namespace
}  // namespace caffe2rt
