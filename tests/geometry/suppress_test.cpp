#include "geometry/suppress.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "geometry/nms.h"

namespace caffe2rt {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// What a GPU does, one pair at a time.
std::vector<int> pair_by_pair(const std::vector<Box>& boxes, float threshold, float one) {
  std::vector<int> kept;
  for (int i = 0; i < static_cast<int>(boxes.size()); i++) {
    bool stays = true;
    for (const int k : kept) stays = stays && !suppresses(boxes[k], boxes[i], threshold, one);
    if (stays) kept.push_back(i);
  }
  return kept;
}

TEST(Suppresses, DecidesAsSuppressionOfManyDoes) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> corner(0, 60), side(0, 40);
  for (const float one : {0.0F, 1.0F})
    for (int round = 0; round < 20; round++) {
      std::vector<Box> boxes;
      for (int i = 0; i < 150; i++) {
        const float x = corner(generator), y = corner(generator);
        boxes.push_back({x, y, x + side(generator), y + side(generator)});
      }
      EXPECT_EQ(pair_by_pair(boxes, 0.4F, one), nms(std::span<const Box>(boxes), 0.4F, -1, one));
    }
}

TEST(Suppresses, EmptyAndBrokenBoxesGiveWay) {
  const Box whole{0, 0, 10, 10}, empty{3, 3, 3, 3};
  EXPECT_TRUE(suppresses(empty, empty, 0.5F, 0));  // 0/0
  EXPECT_FALSE(suppresses(whole, empty, 0.5F, 0));
  EXPECT_TRUE(suppresses(whole, {kNan, kNan, kNan, kNan}, 0.5F, 0));
}

TEST(RankOf, RisesWithTheScore) {
  const float scores[] = {-kInf, -3, -1e-30F, 0, 1e-30F, 0.5F, 1, kInf};
  for (size_t i = 1; i < std::size(scores); i++) EXPECT_LT(rank_of(scores[i - 1]), rank_of(scores[i]));
  EXPECT_EQ(rank_of(0.0F), rank_of(-0.0F));
  EXPECT_LT(rank_of(kNan), rank_of(-kInf));
  EXPECT_LT(rank_of(-kNan), rank_of(-kInf));
}

TEST(OrderKey, PutsBetterScoresAndOfEqualOnesEarlierPositionsFirst) {
  EXPECT_GT(order_key(0.5F, 7), order_key(0.4F, 3));
  EXPECT_GT(order_key(-1, 7), order_key(-2, 3));
  EXPECT_GT(order_key(1, 0), order_key(-1, 0));
  EXPECT_GT(order_key(0.5F, 3), order_key(0.5F, 7));
  EXPECT_GT(order_key(-kInf, 7), order_key(kNan, 3));
  EXPECT_GT(order_key(kNan, 7), std::numeric_limits<std::int64_t>::min());
}

TEST(OrderKey, KeepsThePosition) {
  for (const std::uint32_t position : {0U, 1U, 123456789U, 0xfffffffeU})
    for (const float score : {-2.0F, 0.0F, 0.75F, kNan})
      EXPECT_EQ(position_of(order_key(score, position)), position);
}

TEST(OrderKey, KeepsTheScore) {
  for (const float score : {-kInf, -2.0F, -0.0F, 0.0F, 1e-30F, 0.75F, kInf})
    EXPECT_EQ(score_of(order_key(score, 7)), score);
}

}  // namespace
}  // namespace caffe2rt
