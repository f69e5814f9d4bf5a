#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

struct UnaryCase {
  const char* type;
  float (*reference)(float);
};

const UnaryCase kCases[] = {
    {"Sigmoid", [](float x) { return 1 / (1 + std::exp(-x)); }},
    {"Tanh", [](float x) { return std::tanh(x); }},
    {"Abs", [](float x) { return std::abs(x); }},
    {"Negative", [](float x) { return -x; }},
    {"Exp", [](float x) { return std::exp(x); }},
    {"Floor", [](float x) { return std::floor(x); }},
    {"Ceil", [](float x) { return std::ceil(x); }},
    {"Sqrt", [](float x) { return std::sqrt(x); }},
    {"Log", [](float x) { return std::log(x); }},
    {"Sqr", [](float x) { return x * x; }},
    {"Cube", [](float x) { return x * x * x; }},
    {"Cbrt", [](float x) { return std::cbrt(x); }},
    {"Rsqrt", [](float x) { return 1 / std::sqrt(x); }},
    {"Reciprocal", [](float x) { return 1 / x; }},
    {"Sign", [](float x) { return x > 0 ? 1.F : -1.F; }},
    {"Sin", [](float x) { return std::sin(x); }},
    {"Cos", [](float x) { return std::cos(x); }},
    {"Tan", [](float x) { return std::tan(x); }},
    {"Asin", [](float x) { return std::asin(x); }},
    {"Acos", [](float x) { return std::acos(x); }},
    {"Atan", [](float x) { return std::atan(x); }},
    {"Sinh", [](float x) { return std::sinh(x); }},
    {"Cosh", [](float x) { return std::cosh(x); }},
    {"Erf", [](float x) { return std::erf(x); }},
    {"Swish", [](float x) { return x / (1 + std::exp(-x)); }},
    {"Softplus", [](float x) { return std::log1p(std::exp(x)); }},
    {"Softsign", [](float x) { return x / (1 + std::abs(x)); }},
    {"LeakyRelu", [](float x) { return x > 0 ? x : 0.01F * x; }},
};

TEST(Unary, RowsAgreeWithAPlainLoop) {
  for (const UnaryCase& c : kCases) {
    SCOPED_TRACE(c.type);
    const auto x = random({2, 3, 4, 5});
    const auto y = run_operator(c.type, {x});
    for_each_index(x, [&](int64_t n, int64_t ch, int64_t h, int64_t w) {
      const float expected = c.reference(at(x, n, ch, h, w)), actual = at(y, n, ch, h, w);
      ASSERT_EQ(std::isnan(actual), std::isnan(expected));
      if (std::isnan(expected)) return;
      ASSERT_NEAR(actual, expected, 1e-5 * std::max(1.F, std::abs(expected)));
    });
  }
}

TEST(Unary, LeakyReluScalesNegativeValuesByAlpha) {
  EXPECT_TENSOR_EQ(run_operator("LeakyRelu", {tensor({2}, {-2, 3})}, {{"alpha", 0.5F}}),
                   tensor({2}, {-1, 3}));
}

TEST(Unary, NegativeTakesIntegers) {
  EXPECT_TENSOR_EQ(run_operator("Negative", {int32_tensor({2}, {1, -2})}), int32_tensor({2}, {-1, 2}));
}

TEST(Unary, SignAndCubeTakeIntegers) {
  EXPECT_TENSOR_EQ(run_operator("Sign", {int32_tensor({3}, {7, 0, -2})}), int32_tensor({3}, {1, 0, -1}));
  EXPECT_TENSOR_EQ(run_operator("Cube", {int64_tensor({2}, {3, -2})}), int64_tensor({2}, {27, -8}));
}

TEST(Unary, SoftplusDoesNotOverflow) {
  EXPECT_TENSOR_EQ(run_operator("Softplus", {tensor({2}, {500, -500})}), tensor({2}, {500, 0}));
}

TEST(Unary, NotTakesTruthsAlone) {
  EXPECT_TENSOR_EQ(run_operator("Not", {tensor({2}, {0, 1}).to(at::kBool)}),
                   tensor({2}, {1, 0}).to(at::kBool));
  EXPECT_ERROR(run_operator("Not", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected bool, got Int");
}

TEST(Unary, EmptyInputGivesEmptyOutput) {
  for (const UnaryCase& c : kCases) EXPECT_SHAPE(run_operator(c.type, {tensor({0, 3}, {})}), {0, 3});
}

TEST(Unary, RefusesIntegersWhereOnlyFloatsHaveAMeaning) {
  EXPECT_ERROR(run_operator("Sigmoid", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected float32, got Int");
}

TEST(Identity, HandsOnAnyType) {
  for (const char* type : {"Copy", "CopyCPUToGPU", "CopyGPUToCPU", "CopyFromCPUInput", "EnsureCPUOutput",
                           "EnsureDense", "StopGradient", "Alias", "AliasWithName"}) {
    SCOPED_TRACE(type);
    EXPECT_TENSOR_EQ(run_operator(type, {int64_tensor({2}, {1, -2})}), int64_tensor({2}, {1, -2}));
    EXPECT_TENSOR_EQ(run_operator(type, {tensor({0, 3}, {})}), tensor({0, 3}, {}));
  }
}

}  // namespace
}  // namespace caffe2rt
