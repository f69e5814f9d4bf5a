#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x26 = [] { return tensor({2, 6}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}); };

at::Tensor reshape(const at::Tensor& x, const Shape& shape) {
  return run_operator("Reshape", {x}, {{"shape", shape}});
}

TEST(Reshape, KeepsTheElementsInTheirOrder) {
  EXPECT_TENSOR_EQ(reshape(x26(), {3, 4}), tensor({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(Reshape, ZeroTakesASizeOverAndMinusOneTheRest) {
  EXPECT_SHAPE(reshape(x26(), {0, -1}), {2, 6});
  EXPECT_SHAPE(reshape(x26(), {0, 3, -1}), {2, 3, 2});
  EXPECT_SHAPE(reshape(x26(), {-1}), {12});
}

TEST(Reshape, ReadsTheElementsInTheirOrderFromAnyMemoryLayout) {
  const auto x = random({1, 2, 3, 4});
  EXPECT_TENSOR_EQ(reshape(x.contiguous(at::MemoryFormat::ChannelsLast), {24}), x.flatten());
}

TEST(Reshape, TakesTheShapeAsATensorAndSaysTheOldOneInItsType) {
  const auto out = run_operator_outputs("Reshape", {x26(), int32_tensor({2}, {4, -1})}, {}, 2);
  EXPECT_SHAPE(out[0], {4, 3});
  EXPECT_TENSOR_EQ(out[1], int32_tensor({2}, {2, 6}));
  EXPECT_TENSOR_EQ(run_operator_outputs("Reshape", {x26()}, {{"shape", {12}}}, 2)[1],
                   int64_tensor({2}, {2, 6}));
}

TEST(Reshape, EmptyBatchKeepsItsColumns) {
  EXPECT_SHAPE(reshape(tensor({0, 6}, {}), {0, -1}), {0, 6});
  EXPECT_SHAPE(reshape(tensor({0, 6}, {}), {0, 3, -1}), {0, 3, 2});
  EXPECT_SHAPE(reshape(tensor({0, 6}, {}), {-1, 6}), {0, 6});
}

TEST(Reshape, RefusesAnotherNumberOfElements) {
  EXPECT_ERROR(reshape(x26(), {5, 2}), ErrorCode::kShape, "(2,6) cannot be reshaped to (5,2)");
  EXPECT_ERROR(reshape(x26(), {5, -1}), ErrorCode::kShape, "cannot be reshaped");
  EXPECT_ERROR(reshape(x26(), {2, 6, 0}), ErrorCode::kShape, "cannot be reshaped");
  EXPECT_ERROR(reshape(tensor({0, 6}, {}), {2, 3}), ErrorCode::kShape, "cannot be reshaped");
  EXPECT_ERROR(reshape(x26(), {-1, -1}), ErrorCode::kShape, "expected a shape with at most one -1");
  EXPECT_ERROR(reshape(x26(), {-2, 6}), ErrorCode::kShape, "expected a shape with at most one -1");
  EXPECT_ERROR(compile_operator("Reshape", {x26()}, {{"shape", {5, 2}}}), ErrorCode::kShape,
               "cannot be reshaped");
}

TEST(Reshape, RefusesShapesThatOverflow) {
  EXPECT_ERROR(reshape(x26(), {int64_t{1} << 40, int64_t{1} << 40}), ErrorCode::kShape, "absurd");
}

TEST(Reshape, RefusesNoShapeAndTwo) {
  EXPECT_ERROR(run_operator("Reshape", {x26()}), ErrorCode::kArgument, "got neither");
  EXPECT_ERROR(run_operator("Reshape", {x26(), int64_tensor({1}, {12})}, {{"shape", {12}}}),
               ErrorCode::kArgument, "got both");
}

TEST(Flatten, MakesAMatrix) {
  const auto x = random({2, 3, 4});
  EXPECT_TENSOR_EQ(run_operator("Flatten", {x}), x.reshape({2, 12}));
  EXPECT_SHAPE(run_operator("Flatten", {x}, {{"axis", 0}}), {1, 24});
  EXPECT_SHAPE(run_operator("Flatten", {x}, {{"axis", 3}}), {24, 1});
  EXPECT_SHAPE(run_operator("Flatten", {tensor({0, 3, 4}, {})}), {0, 12});
}

TEST(Flatten, RefusesAnAxisOutside) {
  EXPECT_ERROR(run_operator("Flatten", {x26()}, {{"axis", 3}}), ErrorCode::kArgument,
               "axis: expected 0 to 2, got 3");
  EXPECT_ERROR(run_operator("Flatten", {x26()}, {{"axis", -1}}), ErrorCode::kArgument, "got -1");
}

TEST(FlattenToVec, MakesAVector) {
  EXPECT_SHAPE(run_operator("FlattenToVec", {x26()}), {12});
  EXPECT_SHAPE(run_operator("FlattenToVec", {tensor({0, 3}, {})}), {0});
}

TEST(Squeeze, LeavesOutDimensionsOfSizeOne) {
  const auto x = tensor({1, 2, 1}, {3, 4});
  EXPECT_TENSOR_EQ(run_operator("Squeeze", {x}, {{"dims", {2, 0}}}), tensor({2}, {3, 4}));
  EXPECT_SHAPE(run_operator("Squeeze", {x}, {{"dims", {0, 0}}}), {2, 1});
  EXPECT_SHAPE(run_operator("Squeeze", {tensor({0, 1}, {})}, {{"dims", {1}}}), {0});
}

TEST(Squeeze, RefusesOtherDimensions) {
  const auto x = tensor({1, 2, 1}, {3, 4});
  EXPECT_ERROR(run_operator("Squeeze", {x}, {{"dims", {1}}}), ErrorCode::kShape,
               "expected size 1 in dimension 1, got (1,2,1)");
  EXPECT_ERROR(run_operator("Squeeze", {x}, {{"dims", {3}}}), ErrorCode::kShape, "dimension 3");
  EXPECT_ERROR(run_operator("Squeeze", {x}, {{"dims", {-1}}}), ErrorCode::kArgument,
               "expected dimensions from 0");
  EXPECT_ERROR(run_operator("Squeeze", {x}), ErrorCode::kArgument, "expected dimensions from 0");
}

TEST(ExpandDims, PutsDimensionsIn) {
  const auto x = tensor({2}, {3, 4});
  EXPECT_TENSOR_EQ(run_operator("ExpandDims", {x}, {{"dims", {2, 0}}}), tensor({1, 2, 1}, {3, 4}));
  EXPECT_SHAPE(run_operator("ExpandDims", {tensor({0, 3}, {})}, {{"dims", {1}}}), {0, 1, 3});
}

TEST(ExpandDims, RefusesDimensionsPastTheEnd) {
  EXPECT_ERROR(run_operator("ExpandDims", {tensor({2}, {3, 4})}, {{"dims", {2}}}), ErrorCode::kShape,
               "expected 2 dimensions or more, got (2)");
}

}  // namespace
}  // namespace caffe2rt
