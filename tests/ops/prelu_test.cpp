#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(PRelu, ScalesWhatIsNotPositiveByItsChannel) {
  const auto x = tensor({1, 2, 1, 2}, {-1, 1, -2, 2});
  EXPECT_TENSOR_EQ(run_operator("PRelu", {x, tensor({2}, {0.5F, -3})}),
                   tensor({1, 2, 1, 2}, {-0.5F, 1, 6, 2}));
}

TEST(PRelu, OneSlopeIsForAllChannels) {
  EXPECT_TENSOR_EQ(run_operator("PRelu", {tensor({1, 3}, {-1, -2, 3}), tensor({1}, {10})}),
                   tensor({1, 3}, {-10, -20, 3}));
}

TEST(PRelu, AgreesWithAPlainLoopInBothOrders) {
  const auto x = random({2, 3, 4, 5}), slope = random({3});
  const auto y = run_operator("PRelu", {x, slope});
  for_each_index(x, [&](auto n, auto c, auto h, auto w) {
    const float v = at(x, n, c, h, w);
    ASSERT_EQ(at(y, n, c, h, w), v > 0 ? v : v * at(slope, c));
  });
  EXPECT_TENSOR_EQ(run_operator("PRelu", {x.permute({0, 2, 3, 1}).contiguous(), slope}, {{"order", "NHWC"}}),
                   y.permute({0, 2, 3, 1}));
}

TEST(PRelu, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("PRelu", {tensor({0, 3, 2, 2}, {}), random({3})}), {0, 3, 2, 2});
}

TEST(PRelu, RefusesASlopeOfAnotherLength) {
  EXPECT_ERROR(run_operator("PRelu", {random({1, 3, 2, 2}), random({2})}), ErrorCode::kShape,
               "input 1 'slope': expected (3), got (2)");
  EXPECT_ERROR(compile_operator("PRelu", {random({3}), random({3})}), ErrorCode::kShape,
               "expected at least 2 dimensions, got (3)");
}

}  // namespace
}  // namespace caffe2rt
