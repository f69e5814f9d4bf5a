#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Scale, MultipliesByANumber) {
  EXPECT_TENSOR_EQ(run_operator("Scale", {tensor({2}, {1, -2})}, {{"scale", 2.5F}}), tensor({2}, {2.5F, -5}));
  EXPECT_TENSOR_EQ(run_operator("Scale", {tensor({2}, {1, -2})}), tensor({2}, {1, -2}));
}

TEST(Scale, KeepsDoublesDoubles) {
  EXPECT_TENSOR_EQ(run_operator("Scale", {tensor({1}, {3}).to(at::kDouble)}, {{"scale", 2}}),
                   tensor({1}, {6}).to(at::kDouble));
}

TEST(Scale, EmptyInputGivesEmptyOutput) { EXPECT_SHAPE(run_operator("Scale", {tensor({0, 3}, {})}), {0, 3}); }

TEST(Scale, RefusesIntegers) {
  EXPECT_ERROR(run_operator("Scale", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected float32 or float64, got Int");
}

}  // namespace
}  // namespace caffe2rt
