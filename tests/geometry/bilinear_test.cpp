#include "geometry/bilinear.h"

#include <gtest/gtest.h>

namespace caffe2rt {
namespace {

// The value at a position of a line of pixels.
float sampled(float position, const std::vector<float>& pixels) {
  std::vector<Tap> taps;
  add_sample(position, static_cast<std::int32_t>(pixels.size()), taps);
  float value = 0;
  sum_pixels(pixels.data(), 1, taps, {}, &value);
  return value;
}

TEST(Bilinear, MixesNeighboursByDistance) { EXPECT_FLOAT_EQ(sampled(1.25F, {0, 10, 20, 30}), 12.5F); }

TEST(Bilinear, UpToAPixelOutsideIsTheEdge) {
  EXPECT_FLOAT_EQ(sampled(-0.9F, {5, 6}), 5);
  EXPECT_FLOAT_EQ(sampled(-1, {5, 6}), 5);
  EXPECT_FLOAT_EQ(sampled(2, {5, 6}), 6);
}

TEST(Bilinear, FurtherOutIsZero) {
  EXPECT_EQ(sampled(-1.01F, {5, 6}), 0);
  EXPECT_EQ(sampled(2.01F, {5, 6}), 0);
}

TEST(Bilinear, OnePixelStandsForItsWholeSurroundings) { EXPECT_EQ(sampled(0.7F, {3}), 3); }

TEST(Bilinear, SamplesThatShareNeighboursShareTaps) {
  std::vector<Tap> taps;
  for (const float position : {0.25F, 0.75F, 1.5F}) add_sample(position, 8, taps);
  EXPECT_EQ(taps.size(), 3U);
}

TEST(Bilinear, ASampleOfAMapReadsFourPixels) {
  std::vector<Tap> taps;
  add_sample(0.5F, 1.25F, 2, 3, taps);
  const std::vector<float> pixels = {0, 1, 2, 10, 11, 12};
  float value = 0;
  sum_pixels(pixels.data(), 1, taps, {}, &value);
  EXPECT_EQ(taps.size(), 4U);
  EXPECT_FLOAT_EQ(value, 6.25F);
}

TEST(JoinTap, IsWhatAddSampleDoes) {
  std::vector<Tap> taps;
  Tap own[64];
  std::int32_t count = 0;
  const Axis axis(-1.3F, 9.1F, 3, 0);
  for (int sample = 0; sample < axis.samples; sample++) {
    add_sample(axis.at(1, sample), 6, taps);
    const Neighbours n(axis.at(1, sample), 6);
    if (!n.inside) continue;
    count = join_tap(n.low, n.low_weight, own, count);
    count = join_tap(n.high, n.high_weight, own, count);
  }
  ASSERT_EQ(static_cast<size_t>(count), taps.size());
  for (size_t i = 0; i < taps.size(); i++) {
    EXPECT_EQ(own[i].index, taps[i].index);
    EXPECT_EQ(own[i].weight, taps[i].weight);
  }
}

}  // namespace
}  // namespace caffe2rt
