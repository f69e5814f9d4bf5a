#include "ops/winograd_kernel.h"

#include <ATen/ops/empty.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A convolution of 16 channels, as a pass would write it.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& filter, winograd::Numbers numbers,
                    Args more = {}) {
  const winograd::Weights weights{.numbers = numbers, .channels = 16, .filters = 20};
  at::Tensor packed = at::empty({static_cast<std::int64_t>(winograd::packed_size(weights))}, at::kByte);
  winograd::pack(weights, filter.const_data_ptr<float>(), packed.mutable_data_ptr());
  Args args = {{"kernel", 3},
               {"pad", 1},
               {"caffe2rt.channels", 16},
               {"caffe2rt.filters", 20},
               {"caffe2rt.numbers", static_cast<int>(numbers)}};
  args.insert(args.end(), more.begin(), more.end());
  return run_operator("caffe2rt.WinogradConv", {x, packed}, args);
}

TEST(WinogradKernel, MultipliesFloatsOrIntegers) {
  const at::Tensor x = random({2, 16, 9, 11}), filter = random({20, 16, 3, 3});
  const at::Tensor exact = run_operator("Conv", {x, filter}, {{"kernel", 3}, {"pad", 1}});
  const auto error = [&](winograd::Numbers numbers) {
    return (convolve(x, filter, numbers) - exact).norm().item<double>() / exact.norm().item<double>();
  };
  EXPECT_LT(error(winograd::Numbers::kFloat32), 1e-5);
  EXPECT_LT(error(winograd::Numbers::kInt16), 5e-3);
  EXPECT_LT(error(winograd::Numbers::kInt8), 2e-2);
}

TEST(WinogradKernel, RefusesArgumentsThatNoPassWrites) {
  const at::Tensor x = random({1, 16, 5, 5}), filter = random({20, 16, 3, 3});
  const auto with = [&](const Arg& arg) { convolve(x, filter, winograd::Numbers::kFloat32, {arg}); };
  EXPECT_ERROR(with({"caffe2rt.tile", 5}), ErrorCode::kArgument,
               "'caffe2rt.tile': expected 4, or in float32 6, got 5");
  EXPECT_ERROR(with({"caffe2rt.groups", 2}), ErrorCode::kArgument, "'caffe2rt.groups': expected 1, or");
  const at::Tensor packed = at::empty({64}, at::kByte);
  EXPECT_ERROR(run_operator("caffe2rt.WinogradConv", {x, packed}, {{"kernel", 3}}), ErrorCode::kArgument,
               "expected positive numbers, got 0 and 0");
  EXPECT_ERROR(
      run_operator(
          "caffe2rt.WinogradConv", {x, packed},
          {{"kernel", 3}, {"caffe2rt.channels", 16}, {"caffe2rt.filters", 20}, {"caffe2rt.numbers", 3}}),
      ErrorCode::kArgument, "'caffe2rt.numbers': expected 0, 1 or 2, got 3");
}

}  // namespace
}  // namespace caffe2rt
