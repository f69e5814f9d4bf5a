#include <ATen/ops/empty.h>

#include <algorithm>

#include "kernels/winograd.h"
#include "ops/matmul_kernel.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

struct Head {
  std::int64_t channels, filters, columns;
  at::Tensor filter = random({filters, channels, 3, 3}), bias = random({filters}),
             pointwise = random({columns, filters, 1, 1}), pointwise_bias = random({columns});

  at::Tensor run(const at::Tensor& x, const Args& more = {}) const {
    const winograd::Weights weights{
        .tile = 6, .channels = static_cast<int>(channels), .filters = static_cast<int>(filters)};
    at::Tensor packed = at::empty({static_cast<std::int64_t>(winograd::packed_size(weights))}, at::kByte);
    winograd::pack(weights, filter.const_data_ptr<float>(), packed.mutable_data_ptr());
    Args args = {{"kernel", 3},
                 {"pad", 1},
                 {"caffe2rt.relu", 1},
                 {"caffe2rt.tile", 6},
                 {"caffe2rt.channels", channels},
                 {"caffe2rt.filters", filters},
                 {"caffe2rt.columns", columns}};
    for (const Arg& arg : more) std::ranges::find(args, arg.name, &Arg::name)->value = arg.value;
    return run_operator("caffe2rt.WinogradHead",
                        {x, packed, bias, pack_matmul(pointwise, {}), pointwise_bias}, args);
  }

  // The two convolutions, one after the other.
  at::Tensor expected(const at::Tensor& x) const {
    const at::Tensor y =
        run_operator("Conv", {x, filter, bias}, {{"kernel", 3}, {"pad", 1}, {"caffe2rt.relu", 1}});
    return run_operator("Conv", {y, pointwise, pointwise_bias}, {{"kernel", 1}});
  }
};

TEST(WinogradHead, IsOneConvolutionAfterTheOther) {
  for (const Head& head : {Head{16, 32, 15}, Head{18, 19, 1}, Head{16, 40, 32}, Head{20, 16, 17}})
    for (const Shape& size : {Shape{1, 1, 1}, Shape{2, 13, 7}, Shape{1, 30, 26}}) {
      const at::Tensor x = random({size[0], head.channels, size[1], size[2]});
      EXPECT_TENSOR_NEAR(head.run(x), head.expected(x), 2e-3);
    }
}

TEST(WinogradHead, EmptyBatchGivesEmptyOutput) {
  const Head head{16, 16, 3};
  EXPECT_SHAPE(head.run(tensor({0, 16, 5, 6}, {})), {0, 3, 5, 6});
}

TEST(WinogradHead, RefusesWhatDoesNotFit) {
  const Head head{16, 16, 3};
  EXPECT_ERROR(head.run(random({1, 17, 5, 5})), ErrorCode::kShape, "input 1 'filter'");
  EXPECT_ERROR(head.run(random({1, 16, 5, 5}), {{"caffe2rt.columns", 33}}), ErrorCode::kArgument,
               "argument 'caffe2rt.columns': expected 1 to 32, got 33");
  EXPECT_ERROR(head.run(random({1, 16, 5, 5}), {{"caffe2rt.columns", 4}}), ErrorCode::kShape,
               "input 4 'pointwise_bias': expected (4), got (3)");
}

}  // namespace
}  // namespace caffe2rt
