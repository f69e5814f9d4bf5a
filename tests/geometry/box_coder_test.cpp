#include "geometry/box_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace caffe2rt {
namespace {

void expect_box(const Box& got, const Box& expected) {
  EXPECT_FLOAT_EQ(got.x1, expected.x1);
  EXPECT_FLOAT_EQ(got.y1, expected.y1);
  EXPECT_FLOAT_EQ(got.x2, expected.x2);
  EXPECT_FLOAT_EQ(got.y2, expected.y2);
}

TEST(BoxCoder, ZeroDeltasLeaveTheBoxInBothConventions) {
  const float zero[4] = {};
  for (const float one : {0.0F, 1.0F}) {
    const BoxCoder coder = {.one = one};
    expect_box(coder.decode(Box{1, 2, 11, 22}, zero), {1, 2, 11, 22});
  }
}

TEST(BoxCoder, MovesByShareOfTheSizeAndGrowsByTheExponential) {
  const BoxCoder coder = {.one = 0};
  const float deltas[4] = {0.5F, 0, std::log(2.0F), 0};
  expect_box(coder.decode(Box{0, 0, 10, 10}, deltas), {0, 0, 20, 10});
}

TEST(BoxCoder, DividesDeltasByWeights) {
  const BoxCoder coder = {.one = 0, .weights = {10, 10, 5, 5}};
  const float deltas[4] = {10, 0, 0, 5 * std::log(3.0F)};
  expect_box(coder.decode(Box{0, 0, 10, 10}, deltas), {10, -10, 20, 20});
}

TEST(BoxCoder, GrowsNoMoreThan1000Over16Times) {
  EXPECT_EQ(BoxCoder::kMaxLogScale, std::log(1000.0F / 16.0F));
  const BoxCoder coder = {.one = 0};
  const float deltas[4] = {0, 0, 100, 0};
  EXPECT_FLOAT_EQ(coder.decode(Box{0, 0, 16, 16}, deltas).width(0), 1000);
}

TEST(BoxCoder, ClipsToTheLastPixelOrToTheEdge) {
  expect_box((BoxCoder{.one = 1}.clip(Box{-5, 3, 50, 70}, 40, 30)), {0, 3, 39, 29});
  expect_box((BoxCoder{.one = 0}.clip(Box{-5, 3, 50, 70}, 40, 30)), {0, 3, 40, 30});
}

TEST(BoxCoder, BringsAnglesIntoTheirRange) {
  const float zero[5] = {}, quarter[5] = {0, 0, 0, 0, 1.5707964F};
  EXPECT_FLOAT_EQ((BoxCoder{}.decode(RotatedBox{5, 5, 2, 2, 91}, zero).angle), -89);
  EXPECT_FLOAT_EQ((BoxCoder{}.decode(RotatedBox{5, 5, 2, 2, 10}, quarter).angle), -80);
  EXPECT_FLOAT_EQ((BoxCoder{.bound_angles = false}.decode(RotatedBox{5, 5, 2, 2, 91}, zero).angle), 91);
  EXPECT_FLOAT_EQ(
      (BoxCoder{.angle_lo = -180, .angle_hi = 180}.decode(RotatedBox{5, 5, 2, 2, -190}, zero).angle), 170);
}

TEST(BoxCoder, ClipsRotatedBoxesOnlyWhereTheyAreNearlyUpright) {
  const RotatedBox clipped = BoxCoder{.one = 0}.clip(RotatedBox{0, 0, 10, 10, 0.5F}, 40, 30);
  EXPECT_FLOAT_EQ(clipped.cx, 2.5F);
  EXPECT_FLOAT_EQ(clipped.width, 5);
  EXPECT_FLOAT_EQ(clipped.angle, 0.5F);
  EXPECT_FLOAT_EQ((BoxCoder{}.clip(RotatedBox{0, 0, 10, 10, 1.5F}, 40, 30).width), 10);
  EXPECT_FLOAT_EQ((BoxCoder{.clip_angle = -1}.clip(RotatedBox{0, 0, 10, 10, 0}, 40, 30).width), 10);
}

TEST(BoxCoder, ProposalsAreLargeEnoughAndCentredInTheImage) {
  const BoxCoder coder = {.one = 0};
  EXPECT_TRUE(coder.is_proposal(Box{0, 0, 4, 4}, 40, 30, 4));
  EXPECT_FALSE(coder.is_proposal(Box{0, 0, 4, 3.9F}, 40, 30, 4));
  EXPECT_FALSE(coder.is_proposal(Box{40, 0, 40, 4}, 40, 30, 0));
  EXPECT_FALSE(coder.is_proposal(Box{0, 0, std::numeric_limits<float>::quiet_NaN(), 4}, 40, 30, 0));
}

}  // namespace
}  // namespace caffe2rt
