#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Mod, KeepsTheSignOfX) {
  EXPECT_TENSOR_EQ(run_operator("Mod", {int32_tensor({3}, {7, -7, 6})}, {{"divisor", 3}}),
                   int32_tensor({3}, {1, -1, 0}));
}

TEST(Mod, TakesTheSignOfTheDivisorWhereAsked) {
  const Args args = {{"divisor", 3}, {"sign_follow_divisor", 1}};
  EXPECT_TENSOR_EQ(run_operator("Mod", {int64_tensor({3}, {7, -7, 6})}, args), int64_tensor({3}, {1, 2, 0}));
}

TEST(Mod, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Mod", {int32_tensor({0, 3}, {})}, {{"divisor", 2}}), {0, 3});
}

TEST(Mod, RefusesToDivideByZero) {
  EXPECT_ERROR(run_operator("Mod", {int32_tensor({1}, {1})}, {{"divisor", 0}}), ErrorCode::kArgument,
               "argument 'divisor': expected");
  EXPECT_ERROR(run_operator("Mod", {int32_tensor({1}, {1})}), ErrorCode::kArgument, "got 0");
  EXPECT_ERROR(run_operator("Mod", {random({1})}, {{"divisor", 2}}), ErrorCode::kType,
               "expected int32 or int64, got Float");
}

}  // namespace
}  // namespace caffe2rt
