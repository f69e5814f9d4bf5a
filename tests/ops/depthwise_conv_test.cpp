#include "ops/depthwise.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

// Y of a convolution with weights, by the depthwise kernel, and as the plain operator computes it.
struct Both {
  Both(const std::vector<at::Tensor>& inputs, const Args& args)
      : plain(run_with_weights("Conv", inputs, args, {"all"})),
        depthwise(run_with_weights("Conv", inputs, args, {"use_winograd", "use_matmul", "pack_weights"})) {}
  at::Tensor plain, depthwise;
};

TEST(DepthwiseConv, AgreesWithThePlainOneOnWindowsAndStrides) {
  for (const std::int64_t kernel : {1, 3, 5, 7})
    for (const std::int64_t stride : {1, 2, 3}) {
      const Both y({random({2, 24, 19, 22}), random({24, 1, kernel, kernel}), random({24})},
                   {{"kernel", kernel}, {"stride", stride}, {"pad", kernel / 2}, {"group", 24}});
      EXPECT_TENSOR_NEAR(y.depthwise, y.plain, 1e-5);
    }
}

TEST(DepthwiseConv, AgreesOnUnevenPaddingAndWindowsWithoutABias) {
  const Both y({random({1, 32, 8, 9}), random({32, 1, 3, 2})},
               {{"kernels", Ints{3, 2}}, {"pads", Ints{0, 1, 2, 1}}, {"group", 32}});
  EXPECT_TENSOR_NEAR(y.depthwise, y.plain, 1e-5);
}

TEST(DepthwiseConv, EndsWithARelu) {
  const Both y({random({1, 16, 6, 7}), random({16, 1, 3, 3}), random({16})},
               {{"kernel", 3}, {"pad", 1}, {"group", 16}, {"caffe2rt.relu", 1}});
  EXPECT_TENSOR_NEAR(y.depthwise, y.plain, 1e-5);
  EXPECT_EQ(y.depthwise.min().item<float>(), 0);
}

TEST(DepthwiseConv, EmptyBatchGivesEmptyOutput) {
  const Both y({tensor({0, 16, 5, 5}, {}), random({16, 1, 3, 3})},
               {{"kernel", 3}, {"stride", 2}, {"group", 16}});
  EXPECT_SHAPE(y.depthwise, {0, 16, 2, 2});
}

TEST(DepthwiseConv, RefusesAnInputThatDoesNotFit) {
  const auto packed = pack_depthwise(random({16, 1, 3, 3}), std::nullopt);
  EXPECT_SHAPE(packed, {10, 16});
  EXPECT_ERROR(
      run_operator("caffe2rt.DepthwiseConv", {random({1, 18, 5, 5}), packed}, {{"kernel", 3}, {"group", 16}}),
      ErrorCode::kShape, "16 groups divide, got 18");
  EXPECT_ERROR(
      run_operator("caffe2rt.DepthwiseConv", {random({1, 16, 5, 5}), packed}, {{"kernel", 5}, {"group", 16}}),
      ErrorCode::kShape, "input 1 'weights': expected (26,16), got (10,16)");
  EXPECT_ERROR(
      run_operator("caffe2rt.DepthwiseConv", {random({1, 8, 5, 5}), packed}, {{"kernel", 3}, {"group", 8}}),
      ErrorCode::kArgument, "expected at least 16, got 8");
}

}  // namespace
}  // namespace caffe2rt
