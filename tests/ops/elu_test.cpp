#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Elu, BendsNegativeValues) {
  const auto x = tensor({3}, {-1, 0, 2});
  EXPECT_TENSOR_NEAR(run_operator("Elu", {x}), tensor({3}, {std::exp(-1.F) - 1, 0, 2}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("Elu", {x}, {{"alpha", 3.0F}}),
                     tensor({3}, {3 * (std::exp(-1.F) - 1), 0, 2}), 1e-6);
}

TEST(Selu, BendsAndScales) {
  const auto y = run_operator("Selu", {tensor({3}, {-1, 0, 2})}, {{"alpha", 3.0F}, {"scale", 2.0F}});
  EXPECT_TENSOR_NEAR(y, tensor({3}, {6 * (std::exp(-1.F) - 1), 0, 4}), 1e-6);
}

TEST(Selu, DefaultsKeepMeanAndVariance) {
  const auto y = run_operator("Selu", {tensor({2}, {-1, 1})});
  EXPECT_TENSOR_NEAR(y, tensor({2}, {1.0507010F * 1.6732632F * (std::exp(-1.F) - 1), 1.0507010F}), 1e-6);
}

TEST(Selu, RefusesAScaleThatShrinks) {
  EXPECT_ERROR(run_operator("Selu", {random({2})}, {{"scale", 1.0F}}), ErrorCode::kArgument,
               "argument 'scale': expected more than 1, got 1");
}

TEST(Elu, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Elu", {tensor({0, 3}, {})}), {0, 3});
  EXPECT_SHAPE(run_operator("Selu", {tensor({0, 3}, {})}), {0, 3});
}

TEST(Elu, RefusesIntegers) {
  EXPECT_ERROR(run_operator("Elu", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected float32, got Int");
}

}  // namespace
}  // namespace caffe2rt
