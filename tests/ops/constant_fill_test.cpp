#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

at::Tensor fill(Args args) {
  args.emplace_back("shape", Ints{2});
  return run_operator("ConstantFill", {}, args);
}

TEST(ConstantFill, HoldsItsValueEverywhere) {
  EXPECT_TENSOR_EQ(fill({{"value", 2.5F}}), tensor({2}, {2.5F, 2.5F}));
  EXPECT_TENSOR_EQ(fill({}), tensor({2}, {0, 0}));
}

TEST(ConstantFill, AnIntegerValueMakesInt64) {
  EXPECT_TENSOR_EQ(fill({{"value", 3}}), int64_tensor({2}, {3, 3}));
}

TEST(ConstantFill, DtypeNamesTheType) {
  EXPECT_TENSOR_EQ(fill({{"value", 3}, {"dtype", 1}}), tensor({2}, {3, 3}));
  EXPECT_TENSOR_EQ(fill({{"value", 3}, {"dtype", 2}}), int32_tensor({2}, {3, 3}));
  EXPECT_TENSOR_EQ(fill({{"value", 1}, {"dtype", 5}}), tensor({2}, {1, 1}).to(at::kBool));
  EXPECT_TENSOR_EQ(fill({{"value", 255}, {"dtype", 6}}), tensor({2}, {255, 255}).to(at::kByte));
  EXPECT_TENSOR_EQ(fill({{"value", 3}, {"dtype", 10}}), int64_tensor({2}, {3, 3}));
  EXPECT_TENSOR_EQ(fill({{"value", 0.5F}, {"dtype", 13}}), tensor({2}, {0.5F, 0.5F}).to(at::kDouble));
}

TEST(ConstantFill, RefusesValuesThatTheTypeCannotHold) {
  EXPECT_ERROR(fill({{"value", 256}, {"dtype", 6}}), ErrorCode::kArgument,
               "argument 'value': expected 0 to 255, got 256");
  EXPECT_ERROR(fill({{"value", 0.5F}, {"dtype", 2}}), ErrorCode::kArgument,
               "argument 'value': expected an integer");
  EXPECT_ERROR(fill({{"value", "a"}}), ErrorCode::kArgument, "argument 'value': expected a number");
}

TEST(ConstantFill, RefusesTypesThatAreNoNumbers) {
  EXPECT_ERROR(fill({{"value", "a"}, {"dtype", 4}}), ErrorCode::kUnsupported, "argument 'dtype'");
}

}  // namespace
}  // namespace caffe2rt
