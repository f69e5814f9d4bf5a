#include <cmath>
#include <numbers>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Gelu, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5});
  const auto exact = run_operator("Gelu", {x}), fast = run_operator("Gelu", {x}, {{"fast_gelu", 1}});
  for_each_index(x, [&](auto... i) {
    const double v = at(x, i...);
    ASSERT_NEAR(at(exact, i...), v * 0.5 * (1 + std::erf(v / std::numbers::sqrt2)), 1e-6);
    const double inner = std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v);
    ASSERT_NEAR(at(fast, i...), 0.5 * v * (1 + std::tanh(inner)), 1e-6);
  });
}

TEST(Gelu, EmptyInputGivesEmptyOutput) { EXPECT_SHAPE(run_operator("Gelu", {tensor({0, 3}, {})}), {0, 3}); }

TEST(Gelu, RefusesIntegers) {
  EXPECT_ERROR(run_operator("Gelu", {int32_tensor({1}, {1})}), ErrorCode::kType, "expected float32, got Int");
}

}  // namespace
}  // namespace caffe2rt
