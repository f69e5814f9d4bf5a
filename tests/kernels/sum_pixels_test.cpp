#include "kernels/sum_pixels.h"

#include <algorithm>

#include "kernels/arrays.h"
#include "kernels/targets.h"

namespace caffe2rt {
namespace {

using SumPixels = WithTarget;

TEST_P(SumPixels, WeighsEveryChannelOfAnyNumber) {
  for (const std::int64_t channels : {1, 15, 16, 63, 64, 65, 200, 256, 300}) {
    const Aligned<float> pixels = noise(static_cast<size_t>(3 * channels), 1);
    Aligned<float> out(static_cast<size_t>(channels) + 1, -1);
    const std::vector<Tap> taps = {{0, 0.5F}, {2, 2}};
    sum_pixels(pixels.data(), channels, taps, {.scale = 0.25F}, out.data());
    for (std::int64_t c = 0; c < channels; c++)
      EXPECT_NEAR(out[c], 0.25F * (0.5F * pixels[c] + 2 * pixels[2 * channels + c]), 1e-6)
          << "channel " << c << " of " << channels;
    EXPECT_EQ(out[channels], -1);
  }
}

TEST_P(SumPixels, EndWithABiasAndARelu) {
  for (const std::int64_t channels : {5, 70, 300}) {
    const Aligned<float> pixels = noise(static_cast<size_t>(channels), 1),
                         bias = noise(static_cast<size_t>(channels), 2);
    Aligned<float> out(static_cast<size_t>(channels));
    const std::vector<Tap> taps = {{0, 1}};
    for (const bool relu : {false, true}) {
      sum_pixels(pixels.data(), channels, taps, {2, bias.data(), relu}, out.data());
      for (std::int64_t c = 0; c < channels; c++) {
        const float sum = 2 * pixels[c] + bias[c];
        EXPECT_NEAR(out[c], relu ? std::max(sum, 0.0F) : sum, 1e-6) << "channel " << c << " of " << channels;
      }
    }
  }
}

TEST_P(SumPixels, OfNoPixelsAreZero) {
  Aligned<float> out(20, 7);
  sum_pixels(nullptr, 20, {}, {.scale = 2}, out.data());
  for (const float sum : out) EXPECT_EQ(sum, 0);
}

EVERY_TARGET(SumPixels);

}  // namespace
}  // namespace caffe2rt
