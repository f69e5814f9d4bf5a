#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Dropout, HandsItsInputOn) {
  const auto x = random({2, 3});
  EXPECT_TENSOR_EQ(run_operator("Dropout", {x}, {{"is_test", 1}, {"ratio", 0.9F}}), x);
}

TEST(Dropout, MaskKeepsEverything) {
  const auto out = run_operator_outputs("Dropout", {random({2, 3})}, {{"is_test", 1}}, 2);
  EXPECT_SHAPE(out[1], {2, 3});
  EXPECT_EQ(out[1].scalar_type(), at::kBool);
  EXPECT_TRUE(out[1].all().item<bool>());
}

TEST(Dropout, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Dropout", {tensor({0, 3}, {})}, {{"is_test", 1}}), {0, 3});
}

TEST(Dropout, RefusesTrainingNetsAndImpossibleRatios) {
  EXPECT_ERROR(run_operator("Dropout", {random({2})}), ErrorCode::kUnsupported,
               "argument 'is_test': expected 1");
  EXPECT_ERROR(run_operator("Dropout", {random({2})}, {{"is_test", 1}, {"ratio", 1.0F}}),
               ErrorCode::kArgument, "argument 'ratio'");
}

}  // namespace
}  // namespace caffe2rt
