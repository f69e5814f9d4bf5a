#include "tracking/box_motion.h"

#include <gtest/gtest.h>

#include <array>

namespace caffe2rt {
namespace {

Box box_at(double x, double y, double w, double h) {
  return {static_cast<float>(x - w / 2), static_cast<float>(y - h / 2), static_cast<float>(x + w / 2),
          static_cast<float>(y + h / 2)};
}

void expect_near(const Box& box, const Box& expected, float within) {
  EXPECT_NEAR(box.x1, expected.x1, within);
  EXPECT_NEAR(box.y1, expected.y1, within);
  EXPECT_NEAR(box.x2, expected.x2, within);
  EXPECT_NEAR(box.y2, expected.y2, within);
}

TEST(BoxMotion, StaysWhereItIsUntilItKnowsBetter) {
  const BoxMotion motion(box_at(50, 60, 20, 40));
  expect_near(motion.at(0), box_at(50, 60, 20, 40), 1e-5F);
  expect_near(motion.at(10), box_at(50, 60, 20, 40), 1e-5F);
}

TEST(BoxMotion, LearnsVelocityAndGrowth) {
  BoxMotion motion(box_at(50, 60, 20, 40));
  for (int i = 1; i <= 30; i++) {
    motion.advance(1);
    motion.correct(box_at(50 + 2 * i, 60 - i, 20 + 0.5 * i, 40));
  }
  expect_near(motion.at(5), box_at(50 + 2 * 35, 60 - 35, 20 + 0.5 * 35, 40), 1.5F);
}

TEST(BoxMotion, ManyFramesAtOnceAreAsGoodAsOneByOne) {
  BoxMotion motion(box_at(50, 60, 20, 40));
  for (int i = 5; i <= 50; i += 5) {
    motion.advance(5);
    motion.correct(box_at(50 + 2 * i, 60, 20, 40));
  }
  expect_near(motion.at(5), box_at(50 + 2 * 55, 60, 20, 40), 1.5F);
}

TEST(BoxMotion, SizeStopsGrowingUnseenAndIsNeverNegative) {
  BoxMotion motion(box_at(50, 60, 40, 40));
  for (int i = 1; i <= 10; i++) {
    motion.advance(1);
    motion.correct(box_at(50, 60, 40 - 3 * i, 40));
  }
  const Box shrunk = motion.at(30);
  EXPECT_NEAR(shrunk.x2 - shrunk.x1, 1, 1e-4);
  motion.keep_size();
  const Box kept = motion.at(30), now = motion.at(0);
  EXPECT_FLOAT_EQ(kept.x2 - kept.x1, now.x2 - now.x1);
}

// The textbook's matrices, one axis: x' = F x, P' = F P F' + Q; K = P H' / (H P H' + R).
TEST(BoxMotion, IsTheKalmanFilterOfTheTextbook) {
  constexpr double kSide = 20;
  constexpr double r = (kSide / 20) * (kSide / 20), qv = (kSide / 160) * (kSide / 160);
  std::array<double, 2> x{50, 0};
  std::array<std::array<double, 2>, 2> p{{{4 * r, 0}, {0, 100 * qv}}};
  BoxMotion motion(box_at(50, 60, kSide, kSide));
  for (int i = 1; i <= 5; i++) {
    x[0] += x[1];
    p = {{{p[0][0] + p[0][1] + p[1][0] + p[1][1] + r, p[0][1] + p[1][1]}, {p[1][0] + p[1][1], p[1][1] + qv}}};
    const double seen = 50 + 3.0 * i, s = p[0][0] + r, k0 = p[0][0] / s, k1 = p[1][0] / s,
                 error = seen - x[0];
    x = {x[0] + k0 * error, x[1] + k1 * error};
    p = {{{(1 - k0) * p[0][0], (1 - k0) * p[0][1]}, {p[1][0] - k1 * p[0][0], p[1][1] - k1 * p[0][1]}}};
    motion.advance(1);
    motion.correct(box_at(seen, 60, kSide, kSide));
    const Box now = motion.at(0), next = motion.at(1);
    EXPECT_NEAR((now.x1 + now.x2) / 2, x[0], 1e-4);
    EXPECT_NEAR((next.x1 + next.x2) / 2, x[0] + x[1], 1e-4);
  }
}

}  // namespace
}  // namespace caffe2rt
