#include "geometry/nms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace caffe2rt {
namespace {

std::vector<Box> random_boxes(int count) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> place(0, 100), size(1, 60);
  std::vector<Box> boxes;
  for (int i = 0; i < count; i++) {
    const float x = place(generator), y = place(generator);
    boxes.push_back({x, y, x + size(generator), y + size(generator)});
  }
  return boxes;
}

std::vector<int> slow_nms(const std::vector<Box>& boxes, float threshold, float one) {
  std::vector<int> kept;
  for (int i = 0; i < static_cast<int>(boxes.size()); i++) {
    bool keep = true;
    for (const int k : kept) keep = keep && iou(boxes[k], boxes[i], one) <= threshold;
    if (keep) kept.push_back(i);
  }
  return kept;
}

TEST(Nms, DropsWhatOverlapsABetterBox) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {1, 0, 11, 10}, {20, 20, 30, 30}};
  EXPECT_EQ(nms(boxes, 0.5F, -1, 0), (std::vector{0, 2}));
}

TEST(Nms, KeepsABoxWhoseIouIsTheThreshold) {
  const std::vector<Box> boxes = {{0, 0, 2, 1}, {0, 0, 1, 1}};
  EXPECT_EQ(nms(boxes, 0.5F, -1, 0), (std::vector{0, 1}));
}

TEST(Nms, DroppedBoxesDropNothing) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {4, 0, 14, 10}, {8, 0, 18, 10}};
  EXPECT_EQ(nms(boxes, 0.4F, -1, 0), (std::vector{0, 2}));
}

TEST(Nms, StopsAtTheLimit) {
  const std::vector<Box> boxes = {{0, 0, 1, 1}, {2, 0, 3, 1}, {4, 0, 5, 1}};
  EXPECT_EQ(nms(boxes, 0.5F, 2, 0), (std::vector{0, 1}));
}

TEST(Nms, DropsASecondEmptyBoxSinceTheirIouIsNotANumber) {
  const std::vector<Box> boxes = {{1, 1, 1, 1}, {9, 9, 9, 9}};
  EXPECT_EQ(nms(boxes, 0.5F, -1, 0), (std::vector{0}));
}

TEST(Nms, AgreesWithAPlainLoop) {
  const auto boxes = random_boxes(333);
  for (const float one : {0.0F, 1.0F})
    for (const float threshold : {0.1F, 0.5F, 0.7F})
      EXPECT_EQ(nms(boxes, threshold, -1, one), slow_nms(boxes, threshold, one));
}

TEST(Nms, RotatedBoxesOfNoAngleGiveWhatUprightOnesGive) {
  const auto boxes = random_boxes(100);
  std::vector<RotatedBox> rotated;
  for (const Box& b : boxes)
    rotated.push_back({(b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2, b.width(0), b.height(0), 0});
  EXPECT_EQ(nms(rotated, 0.5F, -1, 0), nms(boxes, 0.5F, -1, 0));
}

TEST(Nms, NothingGivesNothing) {
  std::vector<float> scores;
  EXPECT_TRUE(nms(std::span<const Box>(), 0.5F, -1, 0).empty());
  EXPECT_TRUE(soft_nms(std::span<const RotatedBox>(), scores, {}, 0).empty());
}

TEST(SoftNms, LinearLowersScoresAboveTheThreshold) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {0, 0, 5, 10}, {0, 0, 2, 10}};
  std::vector<float> scores = {0.9F, 0.8F, 0.7F};
  EXPECT_EQ(soft_nms(boxes, scores, {.threshold = 0.3F}, 0), (std::vector{0, 2, 1}));
  EXPECT_FLOAT_EQ(scores[1],
                  0.8F * 0.5F * (1 - 0.4F));  // below both others, the second of which has IoU 0.4 with it
  EXPECT_FLOAT_EQ(scores[2], 0.7F);
}

TEST(SoftNms, GaussianLowersEveryScore) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {0, 0, 5, 10}};
  std::vector<float> scores = {0.5F, 0.9F};
  EXPECT_EQ(soft_nms(boxes, scores, {.method = SoftNms::Method::kGaussian, .sigma = 0.5F}, 0),
            (std::vector{1, 0}));
  EXPECT_FLOAT_EQ(scores[0], 0.5F * std::exp(-0.25F / 0.5F));
}

TEST(SoftNms, DropsScoresBelowTheLeast) {
  const std::vector<Box> boxes = {{0, 0, 10, 10}, {0, 0, 10, 9}};
  std::vector<float> scores = {0.9F, 0.8F};
  EXPECT_EQ(soft_nms(boxes, scores, {.min_score = 0.2F}, 0), (std::vector{0}));
}

}  // namespace
}  // namespace caffe2rt
