#include "kernels/channel_moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/arrays.h"

namespace caffe2rt {
namespace {

TEST(ChannelMoments, SumsAndSquaresAreOfEachChannelLessItsShift) {
  for (const size_t channels : {1U, 3U, 16U, 35U}) {
    constexpr size_t kPixels = 5;
    const Aligned<float> pixels = noise(kPixels * channels, 1), shift = noise(channels, 2);
    Aligned<float> sums(channels, 1), squares(channels, 2);
    add_moments(pixels.data(), kPixels, channels, shift.data(), sums.data(), squares.data());
    for (size_t c = 0; c < channels; c++) {
      double sum = 1, square = 2;
      for (size_t p = 0; p < kPixels; p++) {
        const double x = pixels[p * channels + c] - shift[c];
        sum += x;
        square += x * x;
      }
      EXPECT_NEAR(sums[c], sum, 1e-5);
      EXPECT_NEAR(squares[c], square, 1e-5);
    }
  }
}

TEST(ChannelMoments, ChannelsAreScaledAndShifted) {
  const Aligned<float> pixels = {1, 2, -3, 4}, scale = {2, 10}, offset = {1, -25};
  Aligned<float> out(4);
  scale_channels(pixels.data(), 2, 2, scale.data(), offset.data(), false, out.data());
  EXPECT_EQ(out, (Aligned<float>{3, -5, -5, 15}));
  scale_channels(pixels.data(), 2, 2, scale.data(), offset.data(), true, out.data());
  EXPECT_EQ(out, (Aligned<float>{3, 0, 0, 15}));
}

TEST(ChannelMoments, ReluMakesZeroOfWhatIsNotANumber) {
  const Aligned<float> pixels(20, std::numeric_limits<float>::quiet_NaN()), ones(20, 1), zeros(20, 0);
  Aligned<float> out(20, 7);
  scale_channels(pixels.data(), 1, 20, ones.data(), zeros.data(), true, out.data());
  EXPECT_EQ(out, zeros);
}

}  // namespace
}  // namespace caffe2rt
