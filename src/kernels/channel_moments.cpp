#include "kernels/channel_moments.h"

#include "base/vector_clones.h"

namespace caffe2rt {

CAFFE2RT_VECTOR_CLONES void add_moments(const float* __restrict pixels, size_t count, size_t channels,
                                        const float* __restrict shift, float* __restrict sums,
                                        float* __restrict squares) {
  for (size_t p = 0; p < count; p++, pixels += channels)
    for (size_t c = 0; c < channels; c++) {
      const float x = pixels[c] - shift[c];
      sums[c] += x;
      squares[c] += x * x;
    }
}

CAFFE2RT_VECTOR_CLONES void scale_channels(const float* __restrict pixels, size_t count, size_t channels,
                                           const float* __restrict scale, const float* __restrict offset,
                                           bool relu, float* __restrict out) {
  for (size_t p = 0; p < count; p++, pixels += channels, out += channels) {
    if (relu) {
      for (size_t c = 0; c < channels; c++) {
        const float y = pixels[c] * scale[c] + offset[c];
        out[c] = y > 0 ? y : 0;
      }
    } else {
      for (size_t c = 0; c < channels; c++) out[c] = pixels[c] * scale[c] + offset[c];
    }
  }
}

}  // namespace caffe2rt
