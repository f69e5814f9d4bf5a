#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Clip, CutsOffBothEnds) {
  EXPECT_TENSOR_EQ(run_operator("Clip", {tensor({3}, {-5, 0.5F, 5})}, {{"min", 0.0F}, {"max", 1.0F}}),
                   tensor({3}, {0, 0.5F, 1}));
}

TEST(Clip, KeepsEverythingByDefault) {
  const auto x = tensor({2}, {-1e30F, 1e30F});
  EXPECT_TENSOR_EQ(run_operator("Clip", {x}), x);
}

TEST(Clip, UpperEndWins) {
  EXPECT_TENSOR_EQ(run_operator("Clip", {tensor({2}, {-5, 5})}, {{"min", 2.0F}, {"max", 1.0F}}),
                   tensor({2}, {1, 1}));
}

TEST(Clip, MakesTheLowerEndOfNan) {
  EXPECT_TENSOR_EQ(run_operator("Clip", {tensor({1}, {NAN})}, {{"min", 2.0F}, {"max", 3.0F}}),
                   tensor({1}, {2}));
}

TEST(Clip, KeepsChannelsLastMemory) {
  const auto x = random({2, 3, 4, 5});
  const auto y = run_operator("Clip", {x.contiguous(at::MemoryFormat::ChannelsLast)}, {{"min", 0.0F}});
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TENSOR_EQ(y, run_operator("Clip", {x}, {{"min", 0.0F}}));
}

TEST(Clip, ReadsAViewInTheRightOrder) {
  const auto x = random({4, 6});
  EXPECT_TENSOR_EQ(run_operator("Clip", {x.slice(1, 1, 3)}), x.slice(1, 1, 3));
}

TEST(HardSigmoid, IsALineBetweenTwoEnds) {
  EXPECT_TENSOR_NEAR(run_operator("HardSigmoid", {tensor({4}, {-9, 0, 1, 9})}),
                     tensor({4}, {0, 0.5F, 0.7F, 1}), 1e-6);
  EXPECT_TENSOR_NEAR(
      run_operator("HardSigmoid", {tensor({3}, {-1, 0, 1})}, {{"alpha", 0.25F}, {"beta", 0.25F}}),
      tensor({3}, {0, 0.25F, 0.5F}), 1e-6);
}

TEST(HardSigmoid, MakesOneOfNan) {
  EXPECT_TENSOR_EQ(run_operator("HardSigmoid", {tensor({1}, {NAN})}), tensor({1}, {1}));
}

TEST(Clip, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("Clip", {tensor({0, 3}, {})}), {0, 3});
  EXPECT_SHAPE(run_operator("HardSigmoid", {tensor({0, 3}, {})}), {0, 3});
}

TEST(Clip, RefusesIntegers) {
  EXPECT_ERROR(run_operator("Clip", {int32_tensor({1}, {1})}), ErrorCode::kType,
               "input 0 'X': expected float32, got Int");
}

}  // namespace
}  // namespace caffe2rt
