#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr int kFloat = 1, kInt32 = 2, kBool = 5, kUint8 = 6, kInt64 = 10, kFloat16 = 12;  // in TensorProto

TEST(Cast, CutsFractionsOff) {
  EXPECT_TENSOR_EQ(run_operator("Cast", {tensor({4}, {1.9F, -1.9F, 0.5F, 3})}, {{"to", kInt32}}),
                   int32_tensor({4}, {1, -1, 0, 3}));
}

TEST(Cast, WrapsIntegers) {
  EXPECT_TENSOR_EQ(run_operator("Cast", {int32_tensor({3}, {300, -1, 7})}, {{"to", kUint8}}),
                   int32_tensor({3}, {44, 255, 7}).to(at::kByte));
}

TEST(Cast, EverythingButZeroIsTrue) {
  EXPECT_TENSOR_EQ(run_operator("Cast", {tensor({3}, {0, 0.5F, -2})}, {{"to", kBool}}),
                   int32_tensor({3}, {0, 1, 1}).to(at::kBool));
}

TEST(Cast, TakesTheTypeByNameInEitherCase) {
  const auto x = tensor({1}, {2.5F});
  for (const char* name : {"int64", "INT64"})
    EXPECT_TENSOR_EQ(run_operator("Cast", {x}, {{"to", name}}), int64_tensor({1}, {2}));
  EXPECT_EQ(run_operator("Cast", {x}, {{"to", kInt64}, {"from_type", kBool}}).scalar_type(), at::kLong);
}

TEST(Cast, MakesFloatsByDefault) {
  EXPECT_TENSOR_EQ(run_operator("Cast", {int64_tensor({2}, {1, 2})}), tensor({2}, {1, 2}));
}

TEST(Cast, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Cast", {tensor({0, 3}, {})}, {{"to", kInt32}}), {0, 3});
}

TEST(Cast, RefusesOtherTypes) {
  EXPECT_ERROR(run_operator("Cast", {tensor({1}, {1})}, {{"to", "string"}}), ErrorCode::kArgument,
               "argument 'to': expected a TensorProto type of numbers, got STRING");
  EXPECT_ERROR(run_operator("Cast", {tensor({1}, {1})}, {{"to", kFloat16}}), ErrorCode::kArgument, "got 12");
  EXPECT_EQ(run_operator("Cast", {tensor({1}, {1})}, {{"to", kFloat}}).scalar_type(), at::kFloat);
}

}  // namespace
}  // namespace caffe2rt
