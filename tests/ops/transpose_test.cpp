#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Transpose, ReversesTheDimensionsByDefault) {
  EXPECT_TENSOR_EQ(run_operator("Transpose", {tensor({2, 3}, {0, 1, 2, 3, 4, 5})}),
                   tensor({3, 2}, {0, 3, 1, 4, 2, 5}));
}

TEST(Transpose, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5});
  const auto y = run_operator("Transpose", {x}, {{"axes", {2, 0, 3, 1}}});
  EXPECT_SHAPE(y, {4, 2, 5, 3});
  for_each_index(x, [&](int64_t a, int64_t b, int64_t c, int64_t d) {
    ASSERT_EQ(at(y, c, a, d, b), at(x, a, b, c, d));
  });
}

TEST(Transpose, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Transpose", {tensor({0, 3}, {})}), {3, 0});
}

TEST(Transpose, RefusesAxesThatAreNoPermutation) {
  const auto x = tensor({1, 2}, {1, 2});
  EXPECT_ERROR(run_operator("Transpose", {x}, {{"axes", {0, 0}}}), ErrorCode::kArgument,
               "argument 'axes': expected each dimension once, got (0,0)");
  EXPECT_ERROR(run_operator("Transpose", {x}, {{"axes", {0, 2, 1}}}), ErrorCode::kShape,
               "expected 3 dimensions, as many as 'axes', got 2");
  EXPECT_ERROR(compile_operator("Transpose", {x}, {{"axes", {0}}}), ErrorCode::kShape,
               "expected 1 dimensions");
}

TEST(OrderSwitch, MovesTheChannels) {
  const auto nchw = tensor({1, 2, 1, 3}, {0, 1, 2, 3, 4, 5}), nhwc = tensor({1, 1, 3, 2}, {0, 3, 1, 4, 2, 5});
  EXPECT_TENSOR_EQ(run_operator("NCHW2NHWC", {nchw}), nhwc);
  EXPECT_TENSOR_EQ(run_operator("NHWC2NCHW", {nhwc}), nchw);
}

TEST(OrderSwitch, TakesAnyNumberOfSpatialDimensions) {
  const auto x = random({2, 3, 4, 5, 6});
  EXPECT_TENSOR_EQ(run_operator("NCHW2NHWC", {x}), x.permute({0, 2, 3, 4, 1}));
  EXPECT_TENSOR_EQ(run_operator("NHWC2NCHW", {x}), x.permute({0, 4, 1, 2, 3}));
  EXPECT_SHAPE(run_operator("NHWC2NCHW", {tensor({0, 2, 2, 3}, {})}), {0, 3, 2, 2});
}

TEST(OrderSwitch, RefusesAMatrix) {
  EXPECT_ERROR(run_operator("NCHW2NHWC", {tensor({1, 2}, {1, 2})}), ErrorCode::kShape,
               "expected 3 dimensions or more, got 2");
}

TEST(ChannelShuffle, InterleavesTheGroups) {
  EXPECT_TENSOR_EQ(run_operator("ChannelShuffle", {tensor({1, 6}, {0, 1, 2, 3, 4, 5})}, {{"group", 2}}),
                   tensor({1, 6}, {0, 3, 1, 4, 2, 5}));
}

TEST(ChannelShuffle, AgreesWithAPlainLoopInBothOrders) {
  const auto x = random({2, 6, 3, 4});
  const auto y = run_operator("ChannelShuffle", {x}, {{"group", 3}});
  for_each_index(y, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    ASSERT_EQ(at(y, n, c, h, w), at(x, n, c % 3 * 2 + c / 3, h, w));
  });
  const auto nhwc =
      run_operator("ChannelShuffle", {x.permute({0, 2, 3, 1})}, {{"group", 3}, {"order", "NHWC"}});
  EXPECT_TENSOR_EQ(nhwc, y.permute({0, 2, 3, 1}));
}

TEST(ChannelShuffle, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("ChannelShuffle", {tensor({0, 4, 2, 2}, {})}, {{"group", 2}}), {0, 4, 2, 2});
}

TEST(ChannelShuffle, RefusesUnequalGroups) {
  const auto x = tensor({1, 4}, {1, 2, 3, 4});
  EXPECT_ERROR(run_operator("ChannelShuffle", {x}, {{"group", 3}}), ErrorCode::kShape,
               "expected channels that make 3 equal groups, got 4");
  EXPECT_ERROR(run_operator("ChannelShuffle", {x}, {{"group", 0}}), ErrorCode::kArgument,
               "expected a positive number");
}

}  // namespace
}  // namespace caffe2rt
