#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(SumElements, AddsUpEverything) {
  const auto x = tensor({2, 2}, {1, 2, 3, -4});
  EXPECT_TENSOR_EQ(run_operator("SumElements", {x}), tensor({}, {2}));
  EXPECT_TENSOR_EQ(run_operator("SumElements", {x}, {{"average", 1}}), tensor({}, {0.5F}));
  EXPECT_TENSOR_EQ(run_operator("SumSqrElements", {x}), tensor({}, {30}));
  EXPECT_TENSOR_EQ(run_operator("SumSqrElements", {x}, {{"average", 1}}), tensor({}, {7.5F}));
}

TEST(SumElements, KeepsIntegersIntegers) {
  EXPECT_TENSOR_EQ(run_operator("SumElementsInt", {int32_tensor({2}, {3, 4})}), int32_tensor({}, {7}));
  EXPECT_TENSOR_EQ(run_operator("SumElementsInt", {int32_tensor({2}, {3, 4})}, {{"average", 1}}),
                   int32_tensor({}, {7}));
}

TEST(SumElements, OfNothingIsZero) {
  EXPECT_TENSOR_EQ(run_operator("SumElements", {tensor({0, 2}, {})}), tensor({}, {0}));
  EXPECT_TENSOR_EQ(run_operator("SumElements", {tensor({0, 2}, {})}, {{"average", 1}}), tensor({}, {0}));
}

TEST(SumElements, RefusesOtherTypes) {
  EXPECT_ERROR(run_operator("SumElements", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected float32, got Int");
  EXPECT_ERROR(run_operator("SumElementsInt", {tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected int32 or int64, got Float");
}

}  // namespace
}  // namespace caffe2rt
