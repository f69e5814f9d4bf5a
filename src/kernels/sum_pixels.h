// Weighted sums of pixels of a feature map: what pooling a region is made of. Plain pointers, no tensors;
// every vector width that the processor has, chosen when it runs.
#pragma once

#include <cstdint>
#include <span>

namespace caffe2rt {

struct Tap {
  std::int32_t index;  // of a pixel, or of a row or column
  float weight;
};

// What becomes of a sum.
struct PixelSum {
  float scale = 1;
  const float* bias = nullptr;  // (channels), or null
  bool relu = false;
};

// out[c] = scale * sum of weight * pixels[index * channels + c] over all taps, + bias[c], and not below 0 if
// relu.
void sum_pixels(const float* pixels, std::int64_t channels, std::span<const Tap> taps, const PixelSum& sum,
                float* out);

}  // namespace caffe2rt
