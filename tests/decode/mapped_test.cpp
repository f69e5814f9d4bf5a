#include "decode/mapped.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace caffe2rt {
namespace {

constexpr Affine kMirror{-1, 0, 16, 0, 1, 0};  // of a frame 16 pixels wide

// One object over the left half of a frame of 16x8, with a mask that is sure in its upper half only.
Detections half_mask() {
  Detections d;
  d.width = 16;
  d.height = 8;
  d.objects = {{{0, 0, 8, 8}, {}, 1, 0, {}}};
  d.masks = {8, std::vector<float>(64)};
  std::fill_n(d.masks.probs.begin(), 32, 1.0F);
  return d;
}

bool covers(const PastedMask& mask, int x, int y) {
  const int column = x - mask.x, row = y - mask.y;
  return column >= 0 && row >= 0 && column < mask.width && row < mask.height &&
         mask.pixels[row * mask.width + column] == 255;
}

TEST(MapBox, ScalesUprightBoxes) {
  const Box box = map_box(Box{1, 2, 3, 4}, Affine::scale(2, 10));
  EXPECT_EQ(box.x1, 2);
  EXPECT_EQ(box.y1, 20);
  EXPECT_EQ(box.x2, 6);
  EXPECT_EQ(box.y2, 40);
}

TEST(MapBox, KeepsCornersInOrderWhereTheMapMirrors) {
  const Box box = map_box(Box{1, 2, 3, 4}, kMirror);
  EXPECT_EQ(box.x1, 13);
  EXPECT_EQ(box.x2, 15);
}

// detectron2's RotatedBoxes.scale: width sqrt((sx c)^2 + (sy s)^2), height sqrt((sx s)^2 + (sy c)^2),
// angle atan2(sx s, sy c).
TEST(MapBox, ScalesRotatedBoxesAsDetectron2Does) {
  const RotatedBox box = map_box(RotatedBox{10, 20, 4, 8, 30}, Affine::scale(2, 3));
  EXPECT_FLOAT_EQ(box.cx, 20);
  EXPECT_FLOAT_EQ(box.cy, 60);
  EXPECT_NEAR(box.width, 4 * std::hypot(2 * 0.8660254, 3 * 0.5), 1e-5);
  EXPECT_NEAR(box.height, 8 * std::hypot(2 * 0.5, 3 * 0.8660254), 1e-5);
  EXPECT_NEAR(box.angle, std::atan2(2 * 0.5, 3 * 0.8660254) * 180 / M_PI, 1e-4);
}

TEST(MapCorners, TurnRotatedBoxesCounterClockwise) {
  const Object object{{}, RotatedBox{10, 10, 8, 2, 90}, 1, 0, {}};
  const auto corners = map_corners(object, {});  // 8 wide, turned upright
  for (const Point& p : corners) {
    EXPECT_NEAR(std::abs(p.x - 10), 1, 1e-6);
    EXPECT_NEAR(std::abs(p.y - 10), 4, 1e-6);
  }
  EXPECT_LT(corners[1].y, corners[0].y);  // its right end points up
}

TEST(PasteMappedMask, FollowsTheScale) {
  const PastedMask mask = paste_mapped_mask(half_mask(), 0, Affine::scale(2, 4), 32, 32);
  EXPECT_TRUE(covers(mask, 8, 8));
  EXPECT_FALSE(covers(mask, 8, 24));
  EXPECT_FALSE(covers(mask, 20, 8));
}

TEST(PasteMappedMask, FollowsAMirror) {
  const PastedMask there = paste_mapped_mask(half_mask(), 0, {}, 16, 8);
  const PastedMask mirrored = paste_mapped_mask(half_mask(), 0, kMirror, 16, 8);
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 16; x++) EXPECT_EQ(covers(there, x, y), covers(mirrored, 15 - x, y)) << x << ' ' << y;
}

TEST(PasteMappedMask, RefusesAnObjectThatIsNotThere) {
  EXPECT_THROW(paste_mapped_mask(half_mask(), 1, {}, 16, 8), Error);
  EXPECT_THROW(paste_mapped_mask(half_mask(), -1, {}, 16, 8), Error);
  EXPECT_THROW(paste_mapped_mask(Detections{}, 0, {}, 16, 8), Error);
}

TEST(MapLabels, TakesTheNearestLabelAndNothingFromOutside) {
  const LabelMap labels{2, 1, {5, 7}};
  EXPECT_EQ(map_labels(labels, Affine::scale(2, 1), 4, 1).ids, (std::vector<std::int32_t>{5, 5, 7, 7}));
  EXPECT_EQ(map_labels(labels, {1, 0, 1, 0, 1, 0}, 3, 2).ids, (std::vector<std::int32_t>{0, 5, 7, 0, 0, 0}));
}

}  // namespace
}  // namespace caffe2rt
