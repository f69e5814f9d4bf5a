#include "tracking/overlap.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace caffe2rt {
namespace {

TEST(Overlap, OfBoxesIsTheirIoU) {
  EXPECT_NEAR(box_overlap(Box{0, 0, 10, 10}, Box{5, 0, 15, 10}), 1.0 / 3, 1e-6);
  EXPECT_EQ(box_overlap(Box{0, 0, 10, 10}, Box{20, 0, 30, 10}), 0);
}

TEST(Overlap, IsNoneWhereThereIsNoNumber) {
  EXPECT_EQ(box_overlap(Box{5, 5, 5, 5}, Box{5, 5, 5, 5}), 0);
  EXPECT_EQ(box_overlap(Box{std::numeric_limits<float>::quiet_NaN(), 0, 1, 1}, Box{0, 0, 1, 1}), 0);
}

TEST(Overlap, OfRotatedBoxesGoesByThem) {
  Object a, b;
  a.box = b.box = {0, 0, 100, 100};
  a.rotated = RotatedBox{50, 50, 130, 10, 45};
  b.rotated = RotatedBox{50, 50, 130, 10, -45};
  EXPECT_LT(box_overlap(a, b), 0.1);
  b.rotated.reset();
  EXPECT_EQ(box_overlap(a, b), 1);
}

TEST(Overlap, OfMasksCountsTheirOwnPixels) {
  const std::vector<float> left = {1, 0, 1, 0}, all = {1, 1, 1, 1}, none = {0, 0, 0, 0};
  const Box box{0, 0, 10, 10}, shifted{5, 0, 15, 10};
  EXPECT_EQ(mask_overlap(box, left, box, left, 2), 1);
  EXPECT_EQ(mask_overlap(box, left, box, all, 2), 0.5);
  EXPECT_EQ(mask_overlap(box, left, shifted, left, 2), 0);  // 0..5 and 5..10
  EXPECT_NEAR(mask_overlap(box, all, shifted, all, 2), 1.0 / 3, 1e-6);
  EXPECT_EQ(mask_overlap(box, none, box, none, 2), 0);
}

}  // namespace
}  // namespace caffe2rt
