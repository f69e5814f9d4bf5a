// Between which two samples of an axis a sample lies after the axis is stretched, and how much each counts:
// linear interpolation without aligned corners, for processors of all kinds. Source: upsample_bilinear2d of
// PyTorch; a single sample is the first and not the middle, as in the versions that detectron2 was written
// for.
#pragma once

#include "base/host_device.h"

namespace caffe2rt {

struct LinearTap {
  int low = 0, high = 0;
  float low_weight = 0, high_weight = 0;

  // Sample `i` of `out`, made of `in`.
  CAFFE2RT_HD LinearTap(int i, int in, int out) {
    const float scale = out == 1 ? 0 : static_cast<float>(in) / static_cast<float>(out);
    const float source = scale * (static_cast<float>(i) + 0.5F) - 0.5F, from = source > 0 ? source : 0;
    low = static_cast<int>(from) < in - 1 ? static_cast<int>(from) : in - 1;
    high = low + 1 < in - 1 ? low + 1 : in - 1;
    const float weight = from - static_cast<float>(low);
    high_weight = weight < 1 ? weight : 1;
    low_weight = 1 - high_weight;
  }

  CAFFE2RT_HD float between(float at_low, float at_high) const {
    return at_low * low_weight + at_high * high_weight;
  }
};

}  // namespace caffe2rt
