#include "geometry/box.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

namespace caffe2rt {
namespace {

// Counts points of a fine grid that lie in both boxes.
double counted_intersection(const RotatedBox& a, const RotatedBox& b) {
  const auto inside = [](const RotatedBox& box, double x, double y) {
    const double theta = box.angle * std::numbers::pi / 180, c = std::cos(theta), s = std::sin(theta);
    const double u = (x - box.cx) * c - (y - box.cy) * s, v = (x - box.cx) * s + (y - box.cy) * c;
    return std::abs(u) <= box.width / 2 && std::abs(v) <= box.height / 2;
  };
  constexpr double kStep = 0.02;
  int count = 0;
  for (double y = -8; y < 8; y += kStep)
    for (double x = -8; x < 8; x += kStep) count += inside(a, x, y) && inside(b, x, y);
  return count * kStep * kStep;
}

TEST(Box, IouOfHalfOverlappingBoxesIsAThird) {
  EXPECT_FLOAT_EQ(iou(Box{0, 0, 4, 2}, Box{2, 0, 6, 2}, 0), 1.0F / 3);
}

TEST(Box, LegacyBoxesIncludeTheirLastPixel) {
  EXPECT_FLOAT_EQ((Box{0, 0, 3, 1}.area(1)), 8);
  EXPECT_FLOAT_EQ(iou(Box{0, 0, 3, 1}, Box{2, 0, 5, 1}, 1), 1.0F / 3);
}

TEST(Box, IouOfBoxesApartIsZero) { EXPECT_EQ(iou(Box{0, 0, 1, 1}, Box{5, 5, 6, 6}, 0), 0); }

TEST(Box, IouOfTwoEmptyBoxesIsNotANumber) {
  EXPECT_TRUE(std::isnan(iou(Box{1, 1, 1, 1}, Box{1, 1, 1, 1}, 0)));
}

TEST(RotatedBox, UprightBoxesIntersectAsRectangles) {
  EXPECT_NEAR(intersection_area({0, 0, 4, 2, 0}, {2, 0, 4, 2, 0}), 4, 1e-12);
}

TEST(RotatedBox, AQuarterTurnSwapsWidthAndHeight) {
  EXPECT_NEAR(iou(RotatedBox{3, 3, 4, 2, 90}, RotatedBox{3, 3, 2, 4, 0}), 1, 1e-6);
}

TEST(RotatedBox, SquareOverItselfTurnedBy45DegreesIsAnOctagon) {
  EXPECT_NEAR(intersection_area({0, 0, 2, 2, 0}, {0, 0, 2, 2, 45}), 8 * (std::sqrt(2.0) - 1), 1e-9);
}

TEST(RotatedBox, SharedEdgeAndSharedCornerHaveNoArea) {
  EXPECT_NEAR(intersection_area({0, 0, 2, 2, 0}, {2, 0, 2, 2, 0}), 0, 1e-12);
  EXPECT_NEAR(intersection_area({0, 0, 2, 2, 0}, {2, 2, 2, 2, 0}), 0, 1e-12);
}

TEST(RotatedBox, OneInsideTheOtherSharesTheWholeOfIt) {
  EXPECT_NEAR(intersection_area({0, 0, 10, 10, 20}, {1, -1, 2, 1, 77}), 2, 1e-12);
}

TEST(RotatedBox, AgreesWithCountingPoints) {
  std::mt19937 generator(3);
  std::uniform_real_distribution<float> place(-2, 2), size(0.5F, 6), angle(-200, 200);
  for (int i = 0; i < 20; i++) {
    const RotatedBox a = {place(generator), place(generator), size(generator), size(generator),
                          angle(generator)};
    const RotatedBox b = {place(generator), place(generator), size(generator), size(generator),
                          angle(generator)};
    EXPECT_NEAR(intersection_area(a, b), counted_intersection(a, b), 0.15) << "pair " << i;
  }
}

}  // namespace
}  // namespace caffe2rt
