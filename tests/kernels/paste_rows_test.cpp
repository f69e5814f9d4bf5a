#include "kernels/paste_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "kernels/targets.h"

namespace caffe2rt {
namespace {

using paste::kRoom;

std::vector<float> noise(size_t count, int seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<float> values(count + kRoom);
  for (float& value : values) value = unit(generator);
  return values;
}

// The places of some pixels, with the room that the kernel wants.
struct Found {
  std::vector<int> low;
  std::vector<float> low_weight, high_weight;

  Found(const paste::Stretch& stretch, int first, size_t count)
      : low(count + kRoom), low_weight(count + kRoom), high_weight(count + kRoom) {
    paste::find_cells(stretch, first, count, {low.data(), low_weight.data(), high_weight.data()});
  }
};

class PasteRows : public WithTarget {};
EVERY_TARGET(PasteRows);

TEST_P(PasteRows, FindsTheCellsBetweenWhichAPixelLies) {
  // Two cells on four pixels from 2 to 6: their centres are at 3 and 5, with a border of two cells 2 and 3.
  const Found found({2, 6, 2, 2}, 2, 4);
  EXPECT_EQ(std::vector(found.low.begin(), found.low.begin() + 4), (std::vector{1, 2, 2, 3}));
  EXPECT_EQ(std::vector(found.high_weight.begin(), found.high_weight.begin() + 4),
            (std::vector{0.75F, 0.25F, 0.75F, 0.25F}));
  EXPECT_EQ(std::vector(found.low_weight.begin(), found.low_weight.begin() + 4),
            (std::vector{0.25F, 0.75F, 0.25F, 0.75F}));
}

TEST_P(PasteRows, FindsCellsStepByStepAsGridSampleDoes) {
  for (const size_t count : {1, 7, 16, 301}) {
    const float begin = 17.3F, end = 17.3F + static_cast<float>(count) * 0.97F;
    const Found found({begin, end, 28, 2}, 11, count);
    for (size_t i = 0; i < count; i++) {
      const float grid = (static_cast<float>(11 + i) + 0.5F - begin) / (end - begin) * 2 - 1;
      const float cell = (grid + 1) * 14 - 0.5F, low = std::floor(cell);
      ASSERT_EQ(found.low[i], static_cast<int>(std::clamp(low, -2.0F, 28.0F)) + 2) << i;
      ASSERT_EQ(found.low_weight[i], 1 - (cell - low)) << i;
      ASSERT_EQ(found.high_weight[i], cell - low) << i;
    }
  }
}

TEST_P(PasteRows, PlacesOutsideEveryCellAndNoPlacesAreInTheBorder) {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::nanf("");
  EXPECT_EQ(Found({100, 200, 28, 2}, 0, 1).low[0], 0);
  EXPECT_EQ(Found({100, 200, 28, 2}, 900, 1).low[0], 30);
  EXPECT_EQ(Found({-kInf, 200, 28, 2}, 0, 1).low[0], 0);
  EXPECT_EQ(Found({kNan, 200, 28, 2}, 0, 1).low[0], 0);
}

TEST_P(PasteRows, SpreadsValuesOverTheirRuns) {
  const std::vector<float> values = {1, 2, 3, 4, 5};
  const std::vector<int> starts = {0, 0, 3, 40, 41, 42};
  std::vector<float> row(42 + kRoom);
  paste::spread(values.data(), starts.data(), 5, row.data());
  for (int x = 0; x < 42; x++) ASSERT_EQ(row[x], x < 3 ? 2 : x < 40 ? 3 : x < 41 ? 4 : 5) << x;
}

// Thresholds of exactly a pixel's sum, and of a bit more: one rounding too few shows.
TEST_P(PasteRows, ComparesSumsToTheLastBit) {
  constexpr std::uint8_t kUntouched = 77;
  for (const size_t width : {1, 3, 8, 15, 16, 17, 45})
    for (const int rows : {1, 2, 5}) {
      std::vector<std::vector<float>> cells;
      for (int i = 0; i < 6; i++) cells.push_back(noise(width, 10 * static_cast<int>(width) + i));
      const auto upper = noise(rows, 1), lower = noise(rows, 2);
      const auto sum = [&](int r, size_t x) {
        const float left = cells[4][x], right = cells[5][x];
        return cells[0][x] * (left * upper[r]) + cells[1][x] * (right * upper[r]) +
               cells[2][x] * (left * lower[r]) + cells[3][x] * (right * lower[r]);
      };
      std::vector<std::uint8_t> pixels(rows * width + 1, kUntouched);
      const auto run = [&](float threshold) {
        paste::threshold_rows({cells[0].data(), cells[1].data(), cells[2].data(), cells[3].data(),
                               cells[4].data(), cells[5].data()},
                              {upper.data(), lower.data()}, rows, width, threshold, pixels.data());
      };
      for (size_t wanted = 0; wanted < rows * width; wanted++) {
        const float exactly = sum(static_cast<int>(wanted / width), wanted % width);
        for (const float threshold : {exactly, std::nextafter(exactly, 9.0F)}) {
          run(threshold);
          for (size_t i = 0; i < rows * width; i++)
            ASSERT_EQ(pixels[i], sum(static_cast<int>(i / width), i % width) >= threshold ? 255 : 0)
                << "pixel " << i << " of rows of " << width;
        }
      }
      EXPECT_EQ(pixels.back(), kUntouched);
    }
}

}  // namespace
}  // namespace caffe2rt
