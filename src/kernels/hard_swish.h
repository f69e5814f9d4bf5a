// HardSwish on plain arrays: y = x * max(0, min(1, alpha * x + beta)). Source: Howard et al.,
// https://arxiv.org/abs/1905.02244, with Caffe2's HardSigmoid as the gate.
#pragma once

#include <cstddef>

#include "base/host_device.h"

namespace caffe2rt {

struct HardSwish {
  float alpha = 0, beta = 0;

  CAFFE2RT_HD explicit operator bool() const { return alpha != 0; }  // whether there is one
  CAFFE2RT_HD float operator()(float x) const {
    const float gate = alpha * x + beta;
    return x * (gate > 1 ? 1 : gate > 0 ? gate : 0);
  }
};

// From one array to another, and in place.
void hard_swish(const HardSwish& f, const float* from, size_t count, float* to);
void hard_swish(const HardSwish& f, size_t count, float* values);

}  // namespace caffe2rt
