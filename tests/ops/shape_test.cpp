#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(ShapeOperator, SaysTheSizes) {
  EXPECT_TENSOR_EQ(run_operator("Shape", {random({2, 3, 4})}), int64_tensor({3}, {2, 3, 4}));
  EXPECT_TENSOR_EQ(run_operator("Shape", {int32_tensor({}, {7})}), int64_tensor({0}, {}));
}

TEST(ShapeOperator, SaysTheSizesAskedFor) {
  EXPECT_TENSOR_EQ(run_operator("Shape", {random({2, 3, 4})}, {{"axes", {2, 0}}}), int64_tensor({2}, {4, 2}));
}

TEST(ShapeOperator, SaysTheSizesOfAnEmptyTensor) {
  EXPECT_TENSOR_EQ(run_operator("Shape", {tensor({0, 3}, {})}), int64_tensor({2}, {0, 3}));
}

TEST(ShapeOperator, RefusesAnAxisOutside) {
  EXPECT_ERROR(run_operator("Shape", {random({2})}, {{"axes", {1}}}), ErrorCode::kArgument,
               "axis: expected -1 to 0, got 1");
}

}  // namespace
}  // namespace caffe2rt
