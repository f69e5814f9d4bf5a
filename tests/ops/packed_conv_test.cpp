#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

// Y of a convolution with weights, by oneDNN's packed filter, and as the plain operator computes it.
struct Both {
  Both(const std::vector<at::Tensor>& inputs, const Args& args)
      : plain(run_with_weights("Conv", inputs, args, {"all"})),
        packed(run_with_weights("Conv", inputs, args, {"use_winograd", "use_matmul", "use_depthwise"})) {}
  at::Tensor plain, packed;
};

TEST(PackedConv, AgreesWithThePlainOneOnGroupsStridesAndDilation) {
  const auto x = random({2, 6, 11, 10}), filter = random({4, 3, 3, 2}), bias = random({4});
  const Both y(
      {x, filter, bias},
      {{"kernels", Ints{3, 2}}, {"stride", 2}, {"dilation", 2}, {"pads", Ints{1, 2, 1, 2}}, {"group", 2}});
  EXPECT_TENSOR_NEAR(y.packed, y.plain, 1e-5);
}

TEST(PackedConv, AgreesOnPointwiseAndDepthwiseConvolutions) {
  const Both pointwise({random({3, 20, 7, 5}), random({33, 20, 1, 1})}, {{"kernel", 1}});
  EXPECT_TENSOR_NEAR(pointwise.packed, pointwise.plain, 1e-5);
  const Both depthwise({random({1, 24, 9, 9}), random({24, 1, 5, 5}), random({24})},
                       {{"kernel", 5}, {"pad", 2}, {"group", 24}});
  EXPECT_TENSOR_NEAR(depthwise.packed, depthwise.plain, 1e-5);
}

TEST(PackedConv, AgreesOnUnevenPadding) {
  const Both y({random({1, 3, 8, 9}), random({5, 3, 3, 3})}, {{"kernel", 3}, {"pads", Ints{0, 1, 2, 1}}});
  EXPECT_TENSOR_NEAR(y.packed, y.plain, 1e-5);
}

TEST(PackedConv, AddsAResidualAndEndsWithARelu) {
  const auto x = random({2, 5, 6, 7}), filter = random({8, 5, 1, 1}), bias = random({8});
  for (const Shape& shape : {Shape{2, 8, 6, 7}, Shape{1, 8, 1, 1}, Shape{7}}) {
    const std::vector<at::Tensor> inputs = {x, filter, bias, random(shape)};
    const Both y(inputs, {{"kernel", 1}, {"caffe2rt.relu", 1}});
    EXPECT_TENSOR_NEAR(y.packed, y.plain, 1e-5);
    const at::Tensor conv = run_operator("Conv", {x, filter, bias}, {{"kernel", 1}});
    EXPECT_TENSOR_NEAR(y.packed, run_operator("Relu", {conv + inputs[3]}), 1e-5);
  }
}

TEST(PackedConv, EmptyBatchGivesEmptyOutput) {
  const Both y({tensor({0, 2, 5, 5}, {}), random({3, 2, 3, 3})}, {{"kernel", 3}, {"stride", 2}});
  EXPECT_SHAPE(y.packed, {0, 3, 2, 2});
}

TEST(PackedConv, RefusesAnInputThatDoesNotFit) {
  EXPECT_ERROR(run_with_weights("Conv", {random({1, 4, 5, 5}), random({6, 3, 3, 3})}, {{"kernel", 3}}),
               ErrorCode::kShape, "input 1 'filter': expected (6,4,3,3), got (6,3,3,3)");
}

}  // namespace
}  // namespace caffe2rt
