// Bilinear sampling of feature maps as RoIAlign does it: which pixels a bin of a region reads and how much
// each counts.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/sum_pixels.h"

namespace caffe2rt {

// Adds the taps of one sample at `position` along an axis of `size` pixels, whose centres are at 0, 1, 2, ...
// Up to one pixel outside it stands for the nearest one, further out for zero. Positions that rise give few
// taps: neighbours join.
void add_sample(float position, std::int32_t size, std::vector<Tap>& taps);

// The same on a map of height x width pixels.
void add_sample(float y, float x, std::int32_t height, std::int32_t width, std::vector<Tap>& taps);

}  // namespace caffe2rt
