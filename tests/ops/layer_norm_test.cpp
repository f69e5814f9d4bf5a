#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(LayerNorm, NormalisesEachRow) {
  const auto out =
      run_operator_outputs("LayerNorm", {tensor({2, 2}, {1, 3, 10, 30})}, {{"epsilon", 0.0F}}, 3);
  EXPECT_TENSOR_NEAR(out[0], tensor({2, 2}, {-1, 1, -1, 1}), 1e-6);
  EXPECT_TENSOR_NEAR(out[1], tensor({2, 1}, {2, 20}), 1e-6);
  EXPECT_TENSOR_NEAR(out[2], tensor({2, 1}, {1, 10}), 1e-6);
}

TEST(LayerNorm, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5}), gamma = random({4, 5}), beta = random({4, 5});
  const auto out = run_operator_outputs("LayerNorm", {x, gamma, beta},
                                        {{"axis", -2}, {"epsilon", 0.01F}, {"elementwise_affine", 1}}, 3);
  EXPECT_SHAPE(out[1], {2, 3, 1});
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    double sum = 0, squares = 0;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 5; j++) sum += at(x, n, c, i, j);
    const double mean = sum / 20;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 5; j++) squares += std::pow(at(x, n, c, i, j) - mean, 2);
    const double deviation = std::sqrt(squares / 20 + 0.01);
    ASSERT_NEAR(at(out[1], n, c), mean, 1e-5);
    ASSERT_NEAR(at(out[2], n, c), deviation, 1e-5);
    ASSERT_NEAR(at(out[0], n, c, h, w),
                (at(x, n, c, h, w) - mean) / deviation * at(gamma, h, w) + at(beta, h, w), 1e-5);
  });
}

TEST(LayerNorm, ReadsChannelsLastMemoryInTheRightOrder) {
  const auto x = random({2, 3, 4, 5});
  const auto out = run_operator_outputs("LayerNorm", {x.contiguous(at::MemoryFormat::ChannelsLast)}, {}, 3);
  EXPECT_TENSOR_NEAR(out[0], run_operator_outputs("LayerNorm", {x}, {}, 3)[0], 1e-6);
}

TEST(LayerNorm, LeavesWeightsAsideUnlessAsked) {
  const auto x = random({3, 4});
  EXPECT_TENSOR_EQ(run_operator_outputs("LayerNorm", {x, random({4}), random({4})}, {}, 3)[0],
                   run_operator_outputs("LayerNorm", {x}, {}, 3)[0]);
}

TEST(LayerNorm, KeepsDoublesDoubles) {
  const auto x = random({3, 4});
  EXPECT_TENSOR_NEAR(run_operator_outputs("LayerNorm", {x.to(at::kDouble)}, {}, 3)[0],
                     run_operator_outputs("LayerNorm", {x}, {}, 3)[0].to(at::kDouble), 1e-5);
}

TEST(LayerNorm, EmptyInputsGiveEmptyOutputs) {
  const auto rows = run_operator_outputs("LayerNorm", {tensor({0, 3}, {})}, {}, 3);
  EXPECT_SHAPE(rows[0], {0, 3});
  EXPECT_SHAPE(rows[1], {0, 1});
  const auto columns = run_operator_outputs("LayerNorm", {tensor({2, 0}, {})}, {{"epsilon", 0.25F}}, 3);
  EXPECT_SHAPE(columns[0], {2, 0});
  EXPECT_TENSOR_EQ(columns[1], tensor({2, 1}, {0, 0}));
  EXPECT_TENSOR_EQ(columns[2], tensor({2, 1}, {0.5F, 0.5F}));
}

TEST(LayerNorm, RefusesWhatDoesNotFit) {
  const auto run = [](const std::vector<at::Tensor>& in, const Args& args) {
    return run_operator_outputs("LayerNorm", in, args, 3);
  };
  const auto x = random({2, 3});
  EXPECT_ERROR(run({x}, {{"elementwise_affine", 1}}), ErrorCode::kGraph,
               "expected inputs 'gamma' and 'beta' with elementwise_affine, got 1 inputs");
  EXPECT_ERROR(run({x, random({2}), random({3})}, {{"elementwise_affine", 1}}), ErrorCode::kShape,
               "input 1 'gamma': expected 3 elements, got (2)");
  EXPECT_ERROR(run({x}, {{"axis", 2}}), ErrorCode::kArgument, "axis: expected -2 to 1, got 2");
  EXPECT_ERROR(run({random({3})}, {}), ErrorCode::kShape, "expected at least 2 dimensions, got (3)");
}

}  // namespace
}  // namespace caffe2rt
