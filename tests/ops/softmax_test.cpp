#include <cmath>
#include <limits>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Softmax, MakesEachRowSumToOne) {
  const auto y = run_operator("Softmax", {tensor({2, 2}, {0, 0, 0, std::log(3.0F)})});
  EXPECT_TENSOR_NEAR(y, tensor({2, 2}, {0.5F, 0.5F, 0.25F, 0.75F}), 1e-6);
}

TEST(Softmax, TakesAllAxesFromAxisOnTogether) {
  const auto x = random({2, 3, 4});
  EXPECT_TENSOR_EQ(run_operator("Softmax", {x}),
                   run_operator("Softmax", {x.reshape({2, 12})}).view({2, 3, 4}));
  EXPECT_TENSOR_EQ(run_operator("Softmax", {x}, {{"axis", -1}}),
                   run_operator("Softmax", {x.reshape({6, 4})}).view({2, 3, 4}));
  EXPECT_TENSOR_EQ(run_operator("Softmax", {x}, {{"axis", 0}}),
                   run_operator("Softmax", {x.reshape({1, 24})}).view({2, 3, 4}));
}

TEST(Softmax, AgreesWithAPlainLoop) {
  const auto x = random({5, 9}), y = run_operator("Softmax", {x});
  for (int m = 0; m < 5; m++) {
    double sum = 0;
    for (int d = 0; d < 9; d++) sum += std::exp(static_cast<double>(at(x, m, d)));
    for (int d = 0; d < 9; d++)
      ASSERT_NEAR(at(y, m, d), std::exp(static_cast<double>(at(x, m, d))) / sum, 1e-6);
  }
}

TEST(Softmax, LargeNumbersDoNotOverflow) {
  EXPECT_TENSOR_EQ(run_operator("Softmax", {tensor({1, 3}, {1e30F, -1e30F, 1e30F})}),
                   tensor({1, 3}, {0.5F, 0, 0.5F}));
}

TEST(Softmax, ANanMakesItsRowNan) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TENSOR_EQ(run_operator("Softmax", {tensor({2, 2}, {kNan, 1, 0, 0})}),
                   tensor({2, 2}, {kNan, kNan, 0.5F, 0.5F}));
}

TEST(Softmax, EmptyInputsGiveEmptyOutputs) {
  EXPECT_SHAPE(run_operator("Softmax", {tensor({0, 4}, {})}), {0, 4});
  EXPECT_SHAPE(run_operator("Softmax", {tensor({3, 0}, {})}), {3, 0});
}

TEST(Softmax, RefusesAnAxisThatIsNotThere) {
  EXPECT_ERROR(run_operator("Softmax", {random({4})}), ErrorCode::kShape,
               "input 0 'X': expected an axis 1, got (4)");
}

}  // namespace
}  // namespace caffe2rt
