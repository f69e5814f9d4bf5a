// caffe2rt.DeformConv's gathering of taps, for one image.
#pragma once

#include "geometry/deform_tap.h"
#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct GatheredTaps {
  const void* image = nullptr;  // (height,width,channels)
  Numbers type = Numbers::kFloat;
  DeformGrid grid;
  int channels = 0, groups = 1;       // groups of channels that have offsets of their own
  const float* offset = nullptr;      // (2*groups*taps,windows)
  const float* mask = nullptr;        // (groups*taps,windows); null: 1
  std::int64_t first = 0, count = 0;  // windows
  void* to = nullptr;                 // (count,taps,channels)
};
void gather_taps(const GatheredTaps& t, cudaStream_t stream);

}  // namespace caffe2rt::cuda
