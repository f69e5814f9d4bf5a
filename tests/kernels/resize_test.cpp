#include "kernels/resize.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "kernels/targets.h"

namespace caffe2rt {
namespace {

using resize::Axis;

constexpr std::uint8_t kUntouched = 77;

std::vector<std::uint8_t> noise(size_t count, int seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

// A weighted sum of samples that lie `step` apart, rounded.
int expected(const Axis& axis, int place, const std::uint8_t* samples, size_t step) {
  int sum = 1 << (axis.precision - 1);
  for (int t = 0; t < axis.count[place]; t++)
    sum += axis.weights[static_cast<size_t>(place) * axis.taps + t] * samples[(axis.first[place] + t) * step];
  return std::min(sum >> axis.precision, 255);
}

TEST(ResizeAxis, KeepsEveryPixelWhereTheSizeStays) {
  const Axis axis = resize::make_axis(5, 5);
  for (int i = 0; i < 5; i++) {
    EXPECT_EQ(axis.first[i] + (axis.weights[i * axis.taps] == 0), i);
    const auto weights = axis.weights.begin() + i * axis.taps;
    EXPECT_EQ(*std::max_element(weights, weights + axis.taps), 1 << axis.precision);
  }
}

TEST(ResizeAxis, HalvesWithATriangleOfFourPixels) {
  // Centre 3 between pixels 2 and 3; distances 1.5, 0.5, 0.5, 1.5 of a support of 2: weights 1, 3, 3, 1 of 8.
  const Axis axis = resize::make_axis(8, 4);
  EXPECT_EQ(axis.first[1], 1);
  EXPECT_EQ(axis.count[1], 4);
  const float unit = static_cast<float>(1 << axis.precision) / 8;
  for (int t = 0; t < 4; t++) EXPECT_EQ(axis.weights[axis.taps + t], (t == 0 || t == 3 ? 1 : 3) * unit);
}

TEST(ResizeAxis, DoublesBetweenTwoPixels) {
  // Centre 0.75 between the centres of pixels 0 and 1, at 0.5 and 1.5.
  const Axis axis = resize::make_axis(4, 8);
  EXPECT_EQ(axis.first[1], 0);
  EXPECT_EQ(axis.count[1], 2);
  EXPECT_EQ(axis.weights[axis.taps], 3 << (axis.precision - 2));
  EXPECT_EQ(axis.weights[axis.taps + 1], 1 << (axis.precision - 2));
}

TEST(ResizeAxis, WeighsEveryPlaceByAWholeAndStaysInside) {
  for (const auto& [from, to] : {std::pair{1, 1}, {1, 9}, {9, 1}, {7, 5}, {5, 7}, {1920, 1333}, {16384, 3}}) {
    const Axis axis = resize::make_axis(from, to);
    EXPECT_EQ(axis.taps % 4, 0);
    for (int i = 0; i < to; i++) {
      EXPECT_GE(axis.first[i], 0);
      EXPECT_LE(axis.first[i] + axis.count[i], from);
      int sum = 0;
      for (int t = 0; t < axis.taps; t++) sum += axis.weights[static_cast<size_t>(i) * axis.taps + t];
      EXPECT_NEAR(sum, 1 << axis.precision, axis.count[i]) << from << " to " << to << ", place " << i;
    }
  }
}

class Resize : public WithTarget {};
EVERY_TARGET(Resize);

TEST_P(Resize, ColumnsAreWeightedSumsOfTheirNeighbours) {
  for (const auto& [from, to] :
       {std::pair{1, 1}, {2, 1}, {1, 13}, {5, 8}, {31, 22}, {29, 9}, {64, 3}, {200, 7}}) {
    const Axis axis = resize::make_axis(from, to);
    const size_t row = resize::pixel_row_size(axis);
    auto pixels = noise(row * resize::kRowsAtOnce, from);
    std::fill_n(pixels.begin() + 2 * row, row, 255);  // no sum goes beyond a byte
    std::vector<std::vector<std::uint8_t>> results(resize::kRowsAtOnce);
    const std::uint8_t* rows[resize::kRowsAtOnce];
    std::uint8_t* places[resize::kRowsAtOnce];
    for (int r = 0; r < resize::kRowsAtOnce; r++) {
      results[r].resize(resize::sample_row_size(to));
      rows[r] = pixels.data() + r * row;
      places[r] = results[r].data();
    }
    resize::resize_columns(axis, rows, places);
    for (int r = 0; r < resize::kRowsAtOnce; r++)
      for (int x = 0; x < to; x++)
        for (int c = 0; c < 3; c++)
          ASSERT_EQ(results[r][x * 3 + c], expected(axis, x, rows[r] + c, 4))
              << from << " to " << to << ", row " << r << ", column " << x << ", sample " << c;
  }
}

TEST_P(Resize, RowsAreWeightedSumsOfTheirNeighbours) {
  for (const auto& [from, to] : {std::pair{1, 1}, {1, 3}, {5, 8}, {31, 22}, {40, 9}}) {
    const Axis axis = resize::make_axis(from, to);
    for (const int width : {1, 5, 22, 43}) {
      const size_t row = resize::sample_row_size(width);
      const auto samples = noise(row * from, width);
      std::vector<std::uint8_t> result(row);
      for (int y = 0; y < to; y++) {
        std::vector<const std::uint8_t*> rows;
        for (int t = 0; t < axis.count[y]; t++) rows.push_back(samples.data() + (axis.first[y] + t) * row);
        resize::resize_rows(axis, y, rows.data(), width * 3, result.data());
        for (int i = 0; i < width * 3; i++)
          ASSERT_EQ(result[i], expected(axis, y, samples.data() + i, row)) << "row " << y << ", sample " << i;
      }
    }
  }
}

TEST_P(Resize, WritesAsManyNumbersAsThereAreSamples) {
  const auto samples = noise(300, 1);
  for (const size_t count : {0, 1, 3, 16, 63, 100, 299}) {
    std::vector<float> numbers(count + 1, kUntouched);
    resize::write_samples(samples.data(), count, numbers.data());
    for (size_t i = 0; i < count; i++) ASSERT_EQ(numbers[i], samples[i]);
    EXPECT_EQ(numbers[count], kUntouched);
  }
}

TEST_P(Resize, DropsEveryFourthSample) {
  for (const int width : {1, 2, 4, 7, 33}) {
    const auto pixels = noise(width * 4 + 16, width);
    std::vector<std::uint8_t> samples(resize::sample_row_size(width));
    resize::drop_fourth(pixels.data(), width, samples.data());
    for (int i = 0; i < width * 3; i++) ASSERT_EQ(samples[i], pixels[i / 3 * 4 + i % 3]);
  }
}

}  // namespace
}  // namespace caffe2rt
