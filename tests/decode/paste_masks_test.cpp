#include "decode/paste_masks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// One object with a mask in a frame.
Detections one_object(int width, int height, Box box, int size, std::vector<float> probs) {
  Detections detections;
  detections.width = width;
  detections.height = height;
  detections.objects.push_back({.box = box, .score = 1});
  detections.masks = {size, std::move(probs)};
  return detections;
}

bool covered(const PastedMask& mask, int x, int y) {
  if (x < mask.x || y < mask.y || x >= mask.x + mask.width || y >= mask.y + mask.height) return false;
  return mask.pixels[static_cast<size_t>(y - mask.y) * mask.width + (x - mask.x)] != 0;
}

int covered_pixels(const PastedMask& mask) {
  return static_cast<int>(std::count(mask.pixels.begin(), mask.pixels.end(), 255));
}

// The interpolated probability at the centre of pixel (x, y), cell by cell.
double probability(const Detections& d, int x, int y) {
  const Box& box = d.objects[0].box;
  const int size = d.masks.size;
  const double u = (x + 0.5 - box.x1) / box.width() * size - 0.5,
               v = (y + 0.5 - box.y1) / box.height() * size - 0.5;
  double sum = 0;
  for (int row = 0; row < size; row++)
    for (int column = 0; column < size; column++)
      sum += std::max(0.0, 1 - std::abs(u - column)) * std::max(0.0, 1 - std::abs(v - row)) *
             d.masks.probs[row * size + column];
  return sum;
}

TEST(PasteMask, CoversTheBoxOfAFullMask) {
  const auto mask = paste_mask(one_object(10, 8, {2, 3, 6, 7}, 4, std::vector<float>(16, 1)), 0);
  EXPECT_EQ(covered_pixels(mask), 16);
  EXPECT_TRUE(covered(mask, 2, 3));
  EXPECT_TRUE(covered(mask, 5, 6));
  EXPECT_FALSE(covered(mask, 1, 3));
  EXPECT_FALSE(covered(mask, 6, 6));
}

TEST(PasteMask, CoversTheHalfThatTheMaskCovers) {
  const auto mask = paste_mask(one_object(10, 8, {2, 2, 6, 6}, 2, {1, 0, 1, 0}), 0);
  for (int y = 2; y < 6; y++) {
    EXPECT_TRUE(covered(mask, 2, y));
    EXPECT_TRUE(covered(mask, 3, y));
    EXPECT_FALSE(covered(mask, 4, y));
  }
}

TEST(PasteMask, StaysInsideTheFrame) {
  const auto mask = paste_mask(one_object(10, 8, {-5, -5, 20, 20}, 2, {1, 1, 1, 1}), 0);
  EXPECT_EQ(std::tuple(mask.x, mask.y, mask.width, mask.height), std::tuple(0, 0, 10, 8));
  EXPECT_EQ(covered_pixels(mask), 80);
}

TEST(PasteMask, AgreesWithInterpolationCellByCell) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> unit(0, 1);
  for (int i = 0; i < 50; i++) {
    const float x = unit(generator) * 30, y = unit(generator) * 20;
    const int size = 1 + i % 28;
    std::vector<float> probs(size * size);
    for (float& p : probs) p = unit(generator);
    const auto d = one_object(
        40, 30, {x, y, x + 0.1F + unit(generator) * 25, y + 0.1F + unit(generator) * 25}, size, probs);
    const auto mask = paste_mask(d, 0);
    for (int row = 0; row < d.height; row++)
      for (int column = 0; column < d.width; column++) {
        const double p = probability(d, column, row);
        if (std::abs(p - 0.5) <= 1e-5) continue;  // either way
        ASSERT_EQ(covered(mask, column, row), p >= 0.5) << "pixel " << column << "," << row;
      }
  }
}

// torchvision's way, step by step: a cell of padding, a box widened by it and cut down to whole pixels, the
// mask resized to as many pixels as lie from its first to its last.
double resized_probability(const Detections& d, int x, int y) {
  const int size = d.masks.size, padded = size + 2;
  const auto axis = [&](float begin, float end, int pixel) {
    const float scale = static_cast<float>(padded) / static_cast<float>(size);
    const float centre = (end + begin) * 0.5F, half = (end - begin) * 0.5F * scale;
    const int first = static_cast<int>(centre - half), last = static_cast<int>(centre + half);
    const int count = std::max(1, last - first + 1);
    if (pixel < first || pixel >= first + count) return -100.0;
    return std::clamp((pixel - first + 0.5) * padded / count - 0.5, 0.0, padded - 1.0);
  };
  const Box& box = d.objects[0].box;
  const double u = axis(box.x1, box.x2, x), v = axis(box.y1, box.y2, y);
  double sum = 0;
  for (int row = 0; row < size; row++)
    for (int column = 0; column < size; column++)
      sum += std::max(0.0, 1 - std::abs(u - column - 1)) * std::max(0.0, 1 - std::abs(v - row - 1)) *
             d.masks.probs[row * size + column];
  return sum;
}

TEST(PasteMask, IntegerBoxesCountBothEnds) {
  // Four cells on 4 pixels, with the padding 6 on 1..7, seven pixels: a cell is 7/6 pixels wide.
  auto d = one_object(10, 10, {2, 2, 6, 6}, 4, std::vector<float>(16, 1));
  d.masks.pasting = MaskPasting::kIntegerBoxes;
  const auto mask = paste_mask(d, 0);
  EXPECT_EQ(std::tuple(mask.x, mask.y, mask.width, mask.height), std::tuple(1, 1, 7, 7));
  EXPECT_EQ(covered_pixels(mask), 25);
  EXPECT_TRUE(covered(mask, 2, 2));
  EXPECT_TRUE(covered(mask, 6, 6));
  EXPECT_FALSE(covered(mask, 1, 2));
  EXPECT_FALSE(covered(mask, 7, 6));
}

TEST(PasteMask, IntegerBoxesAgreeWithResizingCellByCell) {
  std::mt19937 generator(2);
  std::uniform_real_distribution<float> unit(0, 1);
  for (int i = 0; i < 50; i++) {
    const float x = unit(generator) * 30 - 2, y = unit(generator) * 20 - 2;
    const int size = 1 + i % 28;
    std::vector<float> probs(size * size);
    for (float& p : probs) p = unit(generator);
    auto d = one_object(40, 30, {x, y, x + 0.1F + unit(generator) * 25, y + 0.1F + unit(generator) * 25},
                        size, probs);
    d.masks.pasting = MaskPasting::kIntegerBoxes;
    const auto mask = paste_mask(d, 0);
    for (int row = 0; row < d.height; row++)
      for (int column = 0; column < d.width; column++) {
        const double p = resized_probability(d, column, row);
        if (std::abs(p - 0.5) <= 1e-5) continue;  // either way
        ASSERT_EQ(covered(mask, column, row), p >= 0.5) << "case " << i << ", pixel " << column << "," << row;
      }
  }
}

TEST(PasteMask, TakesTheThresholdThatIsAskedFor) {
  const auto d = one_object(4, 4, {0, 0, 4, 4}, 4, std::vector<float>(16, 0.3F));
  EXPECT_EQ(covered_pixels(paste_mask(d, 0)), 0);
  EXPECT_EQ(covered_pixels(paste_mask(d, 0, 0.25F)), 16);
}

TEST(PasteMask, BoxesWithoutAreaOrNumberGiveNoPixels) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(paste_mask(one_object(4, 4, {2, 2, 2, 3}, 1, {1}), 0).pixels.empty());
  EXPECT_TRUE(paste_mask(one_object(4, 4, {kNan, 0, 2, 2}, 1, {1}), 0).pixels.empty());
  EXPECT_TRUE(paste_mask(one_object(4, 4, {9, 9, 12, 12}, 1, {1}), 0).pixels.empty());
  EXPECT_EQ(covered_pixels(paste_mask(one_object(4, 4, {-kInf, 0, kInf, 4}, 1, {1}), 0)), 0);
  for (const Box& box : {Box{-kInf, 0, kInf, 4}, Box{kNan, 0, 2, 2}, Box{0, 0, 1e30F, 4}}) {
    auto d = one_object(4, 4, box, 1, {1});
    d.masks.pasting = MaskPasting::kIntegerBoxes;
    EXPECT_EQ(covered_pixels(paste_mask(d, 0)), 0);
  }
}

TEST(PasteMask, RefusesAnObjectThatIsNotThere) {
  EXPECT_ERROR(paste_mask(one_object(4, 4, {0, 0, 4, 4}, 1, {1}), 1), ErrorCode::kArgument,
               "expected an object below 1, got 1");
  EXPECT_ERROR(paste_mask(one_object(4, 4, {0, 0, 4, 4}, 0, {}), 0), ErrorCode::kArgument,
               "object 0 has none");
}

}  // namespace
}  // namespace caffe2rt
