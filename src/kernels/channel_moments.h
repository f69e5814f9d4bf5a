// Sums over the pixels of a feature map, channel by channel, and what is done to each channel with them: the
// two passes over memory of a normalisation. Plain pointers, no tensors.
#pragma once

#include <cstddef>

namespace caffe2rt {

// pixels (count,channels): adds x - shift[c] to sums[c] and its square to squares[c]. With a shift near the
// values neither sum is the small difference of large ones.
void add_moments(const float* pixels, size_t count, size_t channels, const float* shift, float* sums,
                 float* squares);

// out = pixels * scale[c] + offset[c]; with relu max(out, 0), and 0 for what is not a number.
void scale_channels(const float* pixels, size_t count, size_t channels, const float* scale,
                    const float* offset, bool relu, float* out);

}  // namespace caffe2rt
