#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Pow, RaisesToANumber) {
  EXPECT_TENSOR_NEAR(run_operator("Pow", {tensor({3}, {-2, 0, 3})}, {{"exponent", 2.0F}}),
                     tensor({3}, {4, 0, 9}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("Pow", {tensor({2}, {4, 9})}, {{"exponent", 0.5F}}), tensor({2}, {2, 3}),
                     1e-6);
}

TEST(Pow, RaisesToATensor) {
  const auto x = tensor({2, 2}, {2, 3, 4, 5});
  EXPECT_TENSOR_NEAR(run_operator("Pow", {x, tensor({2, 2}, {1, 2, 0.5F, 0})}), tensor({2, 2}, {2, 9, 2, 1}),
                     1e-6);
  EXPECT_TENSOR_NEAR(run_operator("Pow", {x, tensor({2}, {1, 2})}, {{"broadcast", 1}}),
                     tensor({2, 2}, {2, 9, 4, 25}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("Pow", {x, tensor({2}, {1, 2})}, {{"broadcast", 1}, {"axis", 0}}),
                     tensor({2, 2}, {2, 3, 16, 25}), 1e-6);
}

TEST(Pow, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Pow", {tensor({0, 3}, {})}, {{"exponent", 2}}), {0, 3});
}

TEST(Pow, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(run_operator("Pow", {random({2})}), ErrorCode::kArgument,
               "expected 'exponent' as an argument or as an input, got neither");
  EXPECT_ERROR(run_operator("Pow", {random({2, 3}), random({3})}), ErrorCode::kShape,
               "input 1 'exponent': expected (2,3), got (3)");
  EXPECT_ERROR(compile_operator("Pow", {random({2, 3}), random({2})}, {{"broadcast", 1}}), ErrorCode::kShape,
               "(2,3) and (2) cannot be broadcast together");
}

}  // namespace
}  // namespace caffe2rt
