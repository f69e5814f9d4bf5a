// The level of a feature pyramid that a region is pooled from: Feature Pyramid Networks (Lin et al.,
// https://arxiv.org/abs/1612.03144), equation 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace caffe2rt {

struct PyramidLevels {
  int min = 2, max = 5;
  float canonical_scale = 224, canonical_level = 4;

  // level0 + log2(size / scale0), rounded down, counted from the lowest level; `size` is the square root of
  // the region's area. In float32 throughout: boxes at the boundary of two levels go where they always went.
  CAFFE2RT_HD std::int32_t of(float size) const {
    constexpr float kLog2 = 0x1.62e43p-1F;
    const float level = std::floor(canonical_level + logarithm(size / canonical_scale + 1e-6F) / kLog2);
    const auto lowest = static_cast<float>(min), highest = static_cast<float>(max);
    return level > lowest ? static_cast<std::int32_t>(std::min(level, highest) - lowest) : 0;
  }

 private:
  // A GPU's own logf is some last bits off; rounded from double it is as good as the processor's library.
  CAFFE2RT_HD static float logarithm(float x) {
#ifdef __CUDA_ARCH__
    return static_cast<float>(::log(static_cast<double>(x)));
#else
    return std::log(x);
#endif
  }
};

}  // namespace caffe2rt
