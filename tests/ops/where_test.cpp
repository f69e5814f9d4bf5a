#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

at::Tensor truths(const Shape& shape, const std::vector<float>& values) {
  return tensor(shape, values).to(at::kBool);
}
const auto x22 = [] { return tensor({2, 2}, {1, 2, 3, 4}); };
const auto z22 = [] { return tensor({2, 2}, {10, 20, 30, 40}); };

TEST(Where, ChoosesElementByElement) {
  EXPECT_TENSOR_EQ(run_operator("Where", {truths({2, 2}, {1, 0, 0, 1}), x22(), z22()}),
                   tensor({2, 2}, {1, 20, 30, 4}));
}

TEST(Where, ChoosesRowsWhereAsked) {
  const auto expected = tensor({2, 2}, {10, 20, 3, 4});
  EXPECT_TENSOR_EQ(run_operator("Where", {truths({2}, {0, 1}), x22(), z22()}, {{"broadcast_on_rows", 1}}),
                   expected);
  EXPECT_TENSOR_EQ(run_operator("Conditional", {truths({2}, {0, 1}), x22(), z22()}), expected);
}

TEST(Where, KeepsTheType) {
  const auto one = int64_tensor({1}, {1}), two = int64_tensor({1}, {2});
  EXPECT_TENSOR_EQ(run_operator("Where", {truths({1}, {0}), one, two}), two);
  EXPECT_TENSOR_EQ(run_operator("Conditional", {truths({1}, {1}), one, two}), one);
}

TEST(Where, EmptyInputGivesEmptyOutput) {
  const auto x = tensor({0, 3}, {});
  EXPECT_SHAPE(run_operator("Where", {truths({0, 3}, {}), x, x}), {0, 3});
  EXPECT_SHAPE(run_operator("Conditional", {truths({0}, {}), x, x}), {0, 3});
}

TEST(Where, RefusesShapesThatDoNotFit) {
  EXPECT_ERROR(run_operator("Where", {truths({2}, {1, 0}), x22(), z22()}), ErrorCode::kShape,
               "input 0 'condition': expected (2,2), got (2)");
  EXPECT_ERROR(run_operator("Where", {truths({2, 2}, {1, 0, 0, 1}), x22(), random({4})}), ErrorCode::kShape,
               "input 2 'Z': expected (2,2), got (4)");
  EXPECT_ERROR(compile_operator("Conditional", {truths({3}, {1, 0, 1}), x22(), z22()}), ErrorCode::kShape,
               "input 0 'condition': expected (2), got (3)");
  EXPECT_ERROR(run_operator("Conditional", {truths({}, {1}), random({}), random({})}), ErrorCode::kShape,
               "expected at least 1 dimension, got ()");
}

TEST(Where, RefusesTwoTypes) {
  EXPECT_ERROR(run_operator("Where", {truths({1}, {1}), random({1}), int32_tensor({1}, {1})}),
               ErrorCode::kType, "input 2 'Z': expected Float, got Int");
  EXPECT_ERROR(run_operator("Where", {random({1}), random({1}), random({1})}), ErrorCode::kType,
               "input 0 'condition': expected bool, got Float");
}

}  // namespace
}  // namespace caffe2rt
