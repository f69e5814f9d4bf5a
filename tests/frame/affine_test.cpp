#include "frame/affine.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

void expect_at(const Point& p, double x, double y) {
  EXPECT_NEAR(p.x, x, 1e-12);
  EXPECT_NEAR(p.y, y, 1e-12);
}

TEST(Affine, IsAtFirstTheIdentity) { expect_at(Affine{}(3, 4), 3, 4); }

TEST(Affine, MapsPoints) { expect_at(Affine({1, 2, 3, 4, 5, 6})(10, 100), 213, 546); }

TEST(Affine, ChainsInTheOrderThatItReads) {
  const Affine scale = Affine::scale(2, 3), shift{1, 0, 10, 0, 1, 20};
  expect_at(scale.then(shift)(1, 1), 12, 23);
  expect_at(shift.then(scale)(1, 1), 22, 63);
}

TEST(Affine, GoesBack) {
  const Affine map{1, 2, 3, 4, 5, 6};
  expect_at(map.then(map.inverse())(7, 8), 7, 8);
  expect_at(map.inverse().then(map)(7, 8), 7, 8);
}

TEST(Affine, KnowsWhetherItTurnsAnything) {
  EXPECT_TRUE(Affine::scale(2, 3).only_scales_and_shifts());
  EXPECT_FALSE(Affine::scale(-1, 1).only_scales_and_shifts());
  EXPECT_FALSE(Affine({0, 1, 0, 1, 0, 0}).only_scales_and_shifts());
}

}  // namespace
}  // namespace caffe2rt
