#include <ATen/ops/empty.h>

#include <array>
#include <cmath>

#include "kernels/winograd.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

// Y of a 3x3 convolution with weights in Winograd's way, and as the plain operator computes it.
struct Both {
  Both(const std::vector<at::Tensor>& inputs, Args args) {
    args.emplace_back("kernel", 3);
    plain = run_with_weights("Conv", inputs, args, {"all"});
    winograd = run_with_weights("Conv", inputs, args, {});
  }
  at::Tensor plain, winograd;
};

TEST(WinogradConv, AgreesWithThePlainOneOnAnySize) {
  for (const Shape& shape : {Shape{1, 16, 1, 1}, Shape{2, 17, 5, 8}, Shape{1, 40, 14, 14}}) {
    const Both y({random(shape), random({19, shape[1], 3, 3}), random({19})}, {{"pad", 1}});
    EXPECT_TENSOR_NEAR(y.winograd, y.plain, 1e-3);
  }
}

TEST(WinogradConv, AgreesWithoutPaddingAndBias) {
  const Both y({random({2, 16, 9, 6}), random({32, 16, 3, 3})}, {});
  EXPECT_SHAPE(y.winograd, {2, 32, 7, 4});
  EXPECT_TENSOR_NEAR(y.winograd, y.plain, 1e-3);
}

TEST(WinogradConv, AgreesOnGroupsThatAreJoinedAndOthers) {
  for (const auto& [channels, filters, groups] : {std::array{4, 8, 12}, {8, 8, 6}, {16, 32, 3}}) {
    const Both y({random({1, groups * channels, 7, 9}), random({groups * filters, channels, 3, 3}),
                  random({groups * filters})},
                 {{"pad", 1}, {"group", groups}});
    EXPECT_TENSOR_NEAR(y.winograd, y.plain, 1e-3);
  }
}

TEST(WinogradConv, AddsAResidualAndEndsWithARelu) {
  const auto x = random({2, 16, 6, 7}), filter = random({20, 16, 3, 3}), bias = random({20});
  for (const Shape& shape : {Shape{2, 20, 6, 7}, Shape{1, 20, 1, 1}}) {
    const Both y({x, filter, bias, random(shape)}, {{"pad", 1}, {"caffe2rt.relu", 1}});
    EXPECT_TENSOR_NEAR(y.winograd, y.plain, 1e-3);
    EXPECT_GE(y.winograd.min().item<float>(), 0);
  }
}

TEST(WinogradConv, EmptyBatchGivesEmptyOutput) {
  const Both y({tensor({0, 16, 5, 5}, {}), random({16, 16, 3, 3})}, {{"pad", 1}});
  EXPECT_SHAPE(y.winograd, {0, 16, 5, 5});
}

// Regions of 14x14 pixels, which share tiles.
TEST(WinogradConv, ARegionThatIsNotFiniteKeepsThatToItself) {
  const winograd::Weights weights{.tile = 6, .channels = 16, .filters = 16};
  const at::Tensor filter = random({16, 16, 3, 3}), x = random({6, 16, 14, 14}),
                   residual = random({6, 16, 14, 14});
  at::Tensor packed = at::empty({static_cast<std::int64_t>(winograd::packed_size(weights))}, at::kByte);
  winograd::pack(weights, filter.const_data_ptr<float>(), packed.mutable_data_ptr());
  const auto convolve = [&](const at::Tensor& regions) {
    return run_operator("caffe2rt.WinogradConv", {regions, packed, random({16}).zero_(), residual},
                        {{"kernel", 3},
                         {"caffe2rt.channels", 16},
                         {"caffe2rt.filters", 16},
                         {"caffe2rt.tile", 6},
                         {"caffe2rt.joined", 1},
                         {"pad", 1}});
  };
  const at::Tensor of_all = convolve(x);
  at::Tensor empty = x.clone(), partly = x.clone();
  empty[2].fill_(NAN);
  partly[2].select(1, 9).fill_(INFINITY);
  for (const at::Tensor& strange : {empty, partly}) {
    const at::Tensor y = convolve(strange);
    for (const int region : {0, 1, 3, 4, 5}) EXPECT_TENSOR_NEAR(y[region], of_all[region], 1e-3);
    EXPECT_FALSE(std::isfinite(at(y, 2, 0, 8, 0)));
  }
}

TEST(WinogradConv, RoundsBesideBfloat16NoMoreThanItDoes) {
  const std::vector<at::Tensor> inputs = {random({1, 64, 9, 10}), random({70, 64, 3, 3}), random({70})};
  const Args args = {{"kernel", 3}, {"pad", 1}};
  const at::Tensor exact = run_with_weights("Conv", inputs, args, {"all"});
  const auto error = [&](const at::Tensor& y) {
    return (y - exact).norm().item<double>() / exact.norm().item<double>();
  };
  const double rounded =
                   error(run_with_weights("Conv", inputs, args, {"use_winograd"}, Precision::kBfloat16)),
               winograd = error(run_with_weights("Conv", inputs, args, {}, Precision::kBfloat16));
  EXPECT_GT(rounded, 1e-4);  // it is not float32
  EXPECT_LE(winograd, rounded);
}

TEST(WinogradConv, RefusesAnInputThatDoesNotFit) {
  EXPECT_ERROR(
      run_with_weights("Conv", {random({1, 18, 5, 5}), random({16, 17, 3, 3})}, {{"kernel", 3}, {"pad", 1}}),
      ErrorCode::kShape, "input 1 'filter': expected (16,18,3,3), got (16,17,3,3)");
}

}  // namespace
}  // namespace caffe2rt
