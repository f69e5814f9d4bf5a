#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Sum, AddsAllInputs) {
  const auto x = tensor({2}, {1, 2}), y = tensor({2}, {10, 20}), z = tensor({2}, {100, 200});
  EXPECT_TENSOR_EQ(run_operator("Sum", {x, y, z}), tensor({2}, {111, 222}));
  EXPECT_TENSOR_EQ(x, tensor({2}, {1, 2}));
}

TEST(Sum, OfOneInputIsTheInput) {
  for (const char* type : {"Sum", "Mean", "Max", "Min"})
    EXPECT_TENSOR_EQ(run_operator(type, {tensor({2}, {1, 2})}), tensor({2}, {1, 2}));
}

TEST(Sum, TakesIntegers) {
  EXPECT_TENSOR_EQ(run_operator("Sum", {int64_tensor({1}, {1}), int64_tensor({1}, {2})}),
                   int64_tensor({1}, {3}));
}

TEST(Mean, DividesByTheNumberOfInputs) {
  EXPECT_TENSOR_NEAR(run_operator("Mean", {tensor({2}, {1, 2}), tensor({2}, {3, 6})}), tensor({2}, {2, 4}),
                     1e-6);
}

TEST(MaxAndMin, ChooseElementByElement) {
  const auto x = tensor({3}, {1, 5, -2}), y = tensor({3}, {2, 4, -3});
  EXPECT_TENSOR_EQ(run_operator("Max", {x, y}), tensor({3}, {2, 5, -2}));
  EXPECT_TENSOR_EQ(run_operator("Min", {x, y}), tensor({3}, {1, 4, -3}));
}

TEST(Sum, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5}), y = random({2, 3, 4, 5}), z = random({2, 3, 4, 5});
  const auto sum = run_operator("Sum", {x, y, z});
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    ASSERT_FLOAT_EQ(at(sum, n, c, h, w), at(x, n, c, h, w) + at(y, n, c, h, w) + at(z, n, c, h, w));
  });
}

TEST(Sum, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Sum", {tensor({0, 2}, {}), tensor({0, 2}, {})}), {0, 2});
}

TEST(Sum, RefusesAnotherShapeOrType) {
  const auto x = tensor({2}, {1, 2});
  EXPECT_ERROR(run_operator("Sum", {x, tensor({1}, {1})}), ErrorCode::kShape,
               "input 1 'X': expected (2), got (1)");
  EXPECT_ERROR(compile_operator("Sum", {x, tensor({1}, {1})}), ErrorCode::kShape,
               "input 1: expected (2), got (1)");
  EXPECT_ERROR(run_operator("Sum", {x, int32_tensor({2}, {1, 2})}), ErrorCode::kType,
               "expected Float, got Int");
}

}  // namespace
}  // namespace caffe2rt
