#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(MatMulFC, AgreesWithThePlainOne) {
  const auto x = random({7, 3, 4}), w = random({5, 12}), b = random({5});
  for (const int relu : {0, 1}) {
    const Args args = {{"caffe2rt.relu", relu}};
    EXPECT_TENSOR_NEAR(run_with_weights("FC", {x, w, b}, args),
                       run_with_weights("FC", {x, w, b}, args, {"use_matmul"}), 1e-5);
  }
}

TEST(MatMulFC, TakesWeightsOfManyAxes) {
  const auto x = random({2, 24}), w = random({3, 2, 3, 4}), b = random({3});
  EXPECT_TENSOR_NEAR(run_with_weights("FC", {x, w, b}, {}),
                     run_with_weights("FC", {x, w, b}, {}, {"use_matmul"}), 1e-5);
}

TEST(MatMulFC, AgreesOnDepthsOfSeveralSlices) {
  const auto x = random({30, 1500}), w = random({70, 1500}), b = random({70});
  EXPECT_TENSOR_NEAR(run_with_weights("FC", {x, w, b}, {}),
                     run_with_weights("FC", {x, w, b}, {}, {"use_matmul"}), 2e-4);
}

TEST(MatMulFC, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_with_weights("FC", {tensor({0, 4}, {}), random({3, 4}), random({3})}, {}), {0, 3});
}

TEST(MatMulFC, RefusesAnInputThatDoesNotFit) {
  EXPECT_ERROR(run_with_weights("FC", {random({2, 5}), random({3, 4}), random({3})}, {}), ErrorCode::kShape,
               "input 0 'X': expected 4 elements from axis 1 on, as the weights have, got (2,5)");
}

}  // namespace
}  // namespace caffe2rt
