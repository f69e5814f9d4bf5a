#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto a23 = [] { return tensor({2, 3}, {1, 2, 3, 4, 5, 6}); };

TEST(Binary, RowsComputeElementByElement) {
  const auto a = tensor({3}, {6, -3, 8}), b = tensor({3}, {2, 4, -0.5F});
  EXPECT_TENSOR_EQ(run_operator("Add", {a, b}), tensor({3}, {8, 1, 7.5F}));
  EXPECT_TENSOR_EQ(run_operator("Sub", {a, b}), tensor({3}, {4, -7, 8.5F}));
  EXPECT_TENSOR_EQ(run_operator("Mul", {a, b}), tensor({3}, {12, -12, -4}));
  EXPECT_TENSOR_EQ(run_operator("Div", {a, b}), tensor({3}, {3, -0.75F, -16}));
}

at::Tensor bools(const std::vector<float>& values) {
  return tensor({static_cast<int64_t>(values.size())}, values).to(at::kBool);
}

TEST(Binary, RowsCompare) {
  const auto a = tensor({4}, {1, 2, 3, NAN}), b = tensor({4}, {2, 2, 2, NAN});
  EXPECT_TENSOR_EQ(run_operator("EQ", {a, b}), bools({0, 1, 0, 0}));
  EXPECT_TENSOR_EQ(run_operator("NE", {a, b}), bools({1, 0, 1, 1}));
  EXPECT_TENSOR_EQ(run_operator("LT", {a, b}), bools({1, 0, 0, 0}));
  EXPECT_TENSOR_EQ(run_operator("LE", {a, b}), bools({1, 1, 0, 0}));
  EXPECT_TENSOR_EQ(run_operator("GT", {a, b}), bools({0, 0, 1, 0}));
  EXPECT_TENSOR_EQ(run_operator("GE", {a, b}), bools({0, 1, 1, 0}));
  EXPECT_TENSOR_EQ(run_operator("LT", {bools({0, 1}), bools({1, 1})}), bools({1, 0}));
}

TEST(Binary, RowsCombineTruths) {
  const auto a = bools({0, 0, 1, 1}), b = bools({0, 1, 0, 1});
  EXPECT_TENSOR_EQ(run_operator("And", {a, b}), bools({0, 0, 0, 1}));
  EXPECT_TENSOR_EQ(run_operator("Or", {a, b}), bools({0, 1, 1, 1}));
  EXPECT_TENSOR_EQ(run_operator("Xor", {a, b}), bools({0, 1, 1, 0}));
  EXPECT_ERROR(run_operator("And", {int32_tensor({1}, {1}), int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'A': expected bool, got Int");
}

TEST(Binary, RowsCombineBits) {
  const auto a = int32_tensor({2}, {12, 5}), b = int32_tensor({2}, {10, 3});
  EXPECT_TENSOR_EQ(run_operator("BitwiseAnd", {a, b}), int32_tensor({2}, {8, 1}));
  EXPECT_TENSOR_EQ(run_operator("BitwiseOr", {a, b}), int32_tensor({2}, {14, 7}));
  EXPECT_TENSOR_EQ(run_operator("BitwiseXor", {a, b}), int32_tensor({2}, {6, 6}));
  EXPECT_ERROR(run_operator("BitwiseAnd", {a23(), a23()}), ErrorCode::kType, "got Float");
}

TEST(Binary, ComparisonsBroadcastByBothRules) {
  EXPECT_TENSOR_EQ(run_operator("GT", {a23(), tensor({3}, {1, 9, 3})}),
                   tensor({2, 3}, {0, 0, 0, 1, 0, 1}).to(at::kBool));
  EXPECT_TENSOR_EQ(run_operator("GT", {a23(), tensor({2}, {1, 5})}, {{"broadcast", 1}, {"axis", 0}}),
                   tensor({2, 3}, {0, 1, 1, 0, 0, 1}).to(at::kBool));
}

TEST(Binary, DividesIntegersTowardsZero) {
  EXPECT_TENSOR_EQ(run_operator("Div", {int32_tensor({2}, {7, -7}), int32_tensor({2}, {2, 2})}),
                   int32_tensor({2}, {3, -3}));
}

TEST(Binary, BroadcastsAsNumpy) {
  EXPECT_TENSOR_EQ(run_operator("Add", {tensor({2, 1}, {10, 20}), tensor({3}, {1, 2, 3})}),
                   tensor({2, 3}, {11, 12, 13, 21, 22, 23}));
  EXPECT_TENSOR_EQ(run_operator("Sub", {tensor({}, {1}), a23()}), tensor({2, 3}, {0, -1, -2, -3, -4, -5}));
}

TEST(Binary, AxisMeansNothingWithoutBroadcast) {
  EXPECT_TENSOR_EQ(run_operator("Add", {a23(), tensor({3}, {1, 2, 3})}, {{"axis", 0}}),
                   tensor({2, 3}, {2, 4, 6, 5, 7, 9}));
}

TEST(Binary, OlderRuleFitsTheLastDimensionsByDefault) {
  EXPECT_TENSOR_EQ(run_operator("Add", {a23(), tensor({3}, {1, 2, 3})}, {{"broadcast", 1}}),
                   tensor({2, 3}, {2, 4, 6, 5, 7, 9}));
}

TEST(Binary, OlderRuleFitsTheDimensionsFromAxis) {
  const auto b = tensor({2}, {10, 20}), expected = tensor({2, 3}, {11, 12, 13, 24, 25, 26});
  EXPECT_TENSOR_EQ(run_operator("Add", {a23(), b}, {{"broadcast", 1}, {"axis", 0}}), expected);
  EXPECT_TENSOR_EQ(run_operator("Add", {a23(), tensor({1, 2, 1}, {10, 20}).squeeze(0)}, {{"broadcast", 1}}),
                   expected);
}

TEST(Binary, OlderRuleAgreesWithAPlainLoopOverChannels) {
  const auto a = random({2, 3, 4, 5}), b = random({3});
  for (const Args& args : {Args{{"broadcast", 1}, {"axis", 1}}, Args{{"broadcast", 1}, {"axis_str", "C"}}}) {
    const auto c = run_operator("Mul", {a, b}, args);
    for_each_index(a, [&](int64_t n, int64_t ch, int64_t h, int64_t w) {
      ASSERT_EQ(at(c, n, ch, h, w), at(a, n, ch, h, w) * at(b, ch));
    });
  }
}

TEST(Binary, OlderRuleTakesASingleElementForEveryone) {
  EXPECT_TENSOR_EQ(run_operator("Mul", {a23(), tensor({1, 1, 1}, {2})}, {{"broadcast", 1}, {"axis", 1}}),
                   tensor({2, 3}, {2, 4, 6, 8, 10, 12}));
}

TEST(Binary, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Add", {tensor({0, 3}, {}), tensor({3}, {1, 2, 3})}), {0, 3});
  EXPECT_SHAPE(run_operator("Add", {tensor({0, 3}, {}), tensor({3}, {1, 2, 3})}, {{"broadcast", 1}}), {0, 3});
}

TEST(Binary, RefusesShapesThatDoNotFit) {
  EXPECT_ERROR(run_operator("Add", {a23(), tensor({2}, {1, 2})}), ErrorCode::kShape,
               "(2,3) and (2) cannot be broadcast together");
  EXPECT_ERROR(run_operator("Add", {a23(), tensor({2}, {1, 2})}, {{"broadcast", 1}}), ErrorCode::kShape,
               "(2,3) and (2) cannot be broadcast together");
  EXPECT_ERROR(run_operator("Add", {tensor({3}, {1, 2, 3}), a23()}, {{"broadcast", 1}}), ErrorCode::kShape,
               "(3) and (2,3) cannot be broadcast together");
}

TEST(Binary, RefusesShapesThatDoNotFitBeforeARun) {
  EXPECT_ERROR(compile_operator("Mul", {a23(), tensor({2}, {1, 2})}), ErrorCode::kShape,
               "cannot be broadcast");
}

TEST(Binary, RefusesTwoTypes) {
  EXPECT_ERROR(run_operator("Add", {a23(), int32_tensor({3}, {1, 2, 3})}), ErrorCode::kType,
               "expected inputs of one type, got Float and Int");
}

TEST(Binary, RefusesWrongAxes) {
  const auto b = tensor({3}, {1, 2, 3});
  EXPECT_ERROR(run_operator("Add", {a23(), b}, {{"broadcast", 1}, {"axis", 2}}), ErrorCode::kArgument,
               "axis: expected 0 to 1, got 2");
  EXPECT_ERROR(run_operator("Add", {a23(), b}, {{"broadcast", 1}, {"axis_str", "Q"}}), ErrorCode::kArgument,
               "argument 'axis_str': expected one letter of 'NCHW', got 'Q'");
  EXPECT_ERROR(run_operator("Add", {a23(), b}, {{"broadcast", 1}, {"axis", 1}, {"axis_str", "C"}}),
               ErrorCode::kArgument, "got both");
}

}  // namespace
}  // namespace caffe2rt
