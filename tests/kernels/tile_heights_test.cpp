#include "kernels/tile_heights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace caffe2rt {
namespace {

TEST(TileHeights, AreNearlyEqualAndAsFewAsCanBe) {
  for (std::size_t rows = 1; rows <= 200; rows++) {
    std::vector<std::size_t> heights;
    for (std::size_t left = rows; left > 0; left -= heights.back()) heights.push_back(next_height(left, 14));
    const auto [low, high] = std::ranges::minmax(heights);
    EXPECT_LE(high, 14) << rows;
    EXPECT_LE(high - low, 1) << rows;
    EXPECT_EQ(heights.size(), (rows + 13) / 14) << rows;
  }
}

TEST(TileHeights, AFunctionForEach) {
  constexpr auto squares = by_height<3>([]<std::size_t kHeight> { return kHeight * kHeight; });
  EXPECT_EQ(squares, (std::array<std::size_t, 3>{1, 4, 9}));
}

}  // namespace
}  // namespace caffe2rt
