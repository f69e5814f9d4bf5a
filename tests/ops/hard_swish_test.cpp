#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(HardSwish, IsXTimesItsHardSigmoid) {
  const auto x = random({2, 5, 7, 3}) * 4;
  const Args args = {{"alpha", 1 / 6.0F}, {"beta", 0.5F}};
  const auto expected = x * run_operator("HardSigmoid", {x}, args);
  EXPECT_TENSOR_NEAR(run_operator("caffe2rt.HardSwish", {x}, args), expected, 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("caffe2rt.HardSwish", {x.contiguous(at::MemoryFormat::ChannelsLast)}, args),
                     expected, 1e-6);
}

TEST(HardSwish, IsZeroFarBelowAndXFarAbove) {
  EXPECT_TENSOR_EQ(run_operator("caffe2rt.HardSwish", {tensor({3}, {-10, 0, 10})}), tensor({3}, {0, 0, 10}));
}

TEST(HardSwish, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("caffe2rt.HardSwish", {tensor({0, 3}, {})}), {0, 3});
}

}  // namespace
}  // namespace caffe2rt
