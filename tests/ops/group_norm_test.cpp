#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(GroupNorm, NormalisesEachGroup) {
  const auto x = tensor({1, 2, 1, 2}, {1, 3, 10, 30});
  const auto y = run_operator("GroupNorm", {x, tensor({2}, {1, 2}), tensor({2}, {0, 5})},
                              {{"group", 2}, {"epsilon", 0.0F}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 2, 1, 2}, {-1, 1, 3, 7}), 1e-6);
}

TEST(GroupNorm, AgreesWithAPlainLoop) {
  const auto x = random({2, 6, 3, 4}), gamma = random({6}), beta = random({6});
  const auto out = run_operator_outputs("GroupNorm", {x, gamma, beta}, {{"group", 3}, {"epsilon", 0.01F}}, 3);
  for (int n = 0; n < 2; n++)
    for (int g = 0; g < 3; g++) {
      double sum = 0, squares = 0;
      const auto each = [&](auto&& f) {
        for_each_index(x, [&](auto i, auto c, auto h, auto w) {
          if (i == n && c / 2 == g) f(i, c, h, w);
        });
      };
      each([&](auto... i) { sum += at(x, i...); });
      const double mean = sum / 24;
      each([&](auto... i) { squares += (at(x, i...) - mean) * (at(x, i...) - mean); });
      const double inv_std = 1 / std::sqrt(squares / 24 + 0.01);
      ASSERT_NEAR(at(out[1], n, g), mean, 1e-5);
      ASSERT_NEAR(at(out[2], n, g), inv_std, 1e-5);
      each([&](auto i, auto c, auto h, auto w) {
        ASSERT_NEAR(at(out[0], i, c, h, w), (at(x, i, c, h, w) - mean) * inv_std * at(gamma, c) + at(beta, c),
                    1e-5);
      });
    }
}

TEST(GroupNorm, GivesTheSameInNhwcAndInChannelsLastMemory) {
  const auto x = random({2, 6, 3, 4}), gamma = random({6}), beta = random({6});
  const auto y = run_operator("GroupNorm", {x, gamma, beta}, {{"group", 3}});
  EXPECT_TENSOR_NEAR(
      run_operator("GroupNorm", {x.contiguous(at::MemoryFormat::ChannelsLast), gamma, beta}, {{"group", 3}}),
      y, 1e-5);
  EXPECT_TENSOR_NEAR(run_operator("GroupNorm", {x.permute({0, 2, 3, 1}).contiguous(), gamma, beta},
                                  {{"group", 3}, {"order", "NHWC"}}),
                     y.permute({0, 2, 3, 1}), 1e-5);
}

TEST(GroupNorm, EndsWithAReluWhereOneWasJoined) {
  const auto x = random({2, 6, 30, 20}), gamma = random({6}), beta = random({6});
  for (const auto& laid_out : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
    const auto y = run_operator("GroupNorm", {laid_out, gamma, beta}, {{"group", 3}});
    EXPECT_TENSOR_EQ(run_operator("GroupNorm", {laid_out, gamma, beta}, {{"group", 3}, {"caffe2rt.relu", 1}}),
                     y.clamp_min(0));
  }
}

TEST(GroupNorm, ALargeMeanTakesNothingFromASmallVariance) {
  const auto x = random({1, 4, 40, 50}) + 1000, gamma = tensor({4}, {1, 1, 1, 1}),
             beta = tensor({4}, {0, 0, 0, 0});
  const auto y =
      run_operator("GroupNorm", {x.contiguous(at::MemoryFormat::ChannelsLast), gamma, beta}, {{"group", 2}});
  const auto exact = x.to(at::kDouble).reshape({1, 2, -1});
  const auto expected = (exact - exact.mean(-1, true)) / (exact.var(-1, false, true) + 1e-5).sqrt();
  EXPECT_TENSOR_NEAR(y, expected.reshape(x.sizes()).to(at::kFloat), 1e-3);
}

TEST(GroupNorm, IgnoresEpsWhichExportersWrite) {
  const auto x = random({1, 2, 3, 4}), gamma = random({2}), beta = random({2});
  EXPECT_TENSOR_EQ(run_operator("GroupNorm", {x, gamma, beta}, {{"group", 1}, {"eps", 0.5F}}),
                   run_operator("GroupNorm", {x, gamma, beta}, {{"group", 1}}));
}

TEST(GroupNorm, EmptyInputsGiveEmptyOutputs) {
  const std::vector<at::Tensor> weights = {random({4}), random({4})};
  for (const Shape& shape : {Shape{0, 4, 2, 2}, Shape{2, 4, 0, 2}}) {
    const auto out =
        run_operator_outputs("GroupNorm", {tensor(shape, {}), weights[0], weights[1]}, {{"group", 2}}, 3);
    EXPECT_EQ(out[0].sizes().vec(), shape);
    EXPECT_SHAPE(out[1], {shape[0], 2});
  }
}

TEST(GroupNorm, RefusesChannelsThatDoNotFit) {
  const auto x = random({1, 6, 2, 2});
  EXPECT_ERROR(run_operator("GroupNorm", {x, random({6}), random({6})}), ErrorCode::kShape,
               "expected a number of channels that 32 groups divide, got 6");
  EXPECT_ERROR(compile_operator("GroupNorm", {x, random({3}), random({6})}, {{"group", 3}}),
               ErrorCode::kShape, "input 1 'gamma': expected (6), got (3)");
  EXPECT_ERROR(run_operator("GroupNorm", {random({6}), random({6}), random({6})}, {{"group", 3}}),
               ErrorCode::kShape, "expected at least 2 dimensions, got (6)");
  EXPECT_ERROR(run_operator("GroupNorm", {x, random({6}), random({6})}, {{"group", 0}}), ErrorCode::kArgument,
               "'group'");
}

}  // namespace
}  // namespace caffe2rt
