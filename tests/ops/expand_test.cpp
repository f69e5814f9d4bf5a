#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

at::Tensor expand(const at::Tensor& x, const std::vector<int64_t>& shape) {
  return run_operator("Expand", {x, int64_tensor({static_cast<int64_t>(shape.size())}, shape)});
}

TEST(Expand, RepeatsDimensionsOfSizeOne) {
  EXPECT_TENSOR_EQ(expand(tensor({2, 1}, {1, 2}), {2, 3}), tensor({2, 3}, {1, 1, 1, 2, 2, 2}));
}

TEST(Expand, PutsNewDimensionsInFront) {
  EXPECT_TENSOR_EQ(expand(tensor({2}, {1, 2}), {3, 1}), tensor({3, 2}, {1, 2, 1, 2, 1, 2}));
}

TEST(Expand, KeepsSizesWhereTheShapeSaysOneOrLess) {
  for (const int64_t keep : {1, 0, -1}) EXPECT_SHAPE(expand(random({2, 3}), {keep, 3}), {2, 3});
  EXPECT_SHAPE(expand(random({4, 2, 3}), {3}), {4, 2, 3});
}

TEST(Expand, EmptyInputGivesEmptyOutput) { EXPECT_SHAPE(expand(tensor({0, 1}, {}), {1, 3}), {0, 3}); }

TEST(Expand, RefusesShapesThatDoNotFit) {
  EXPECT_ERROR(expand(random({2, 3}), {5, 3}), ErrorCode::kShape,
               "input 0 'X': (2,3) cannot be expanded to (5,3)");
  EXPECT_ERROR(run_operator("Expand", {random({2}), int64_tensor({1, 1}, {2})}), ErrorCode::kShape,
               "input 1 'shape': expected (?), got (1,1)");
  EXPECT_ERROR(expand(random({1, 1}), {1 << 30, 1 << 30}), ErrorCode::kLimit, "expected at most");
}

}  // namespace
}  // namespace caffe2rt
