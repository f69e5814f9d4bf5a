// caffe2rt.MaskOfClass: a product of each pixel's channels with the filter of its region's class.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct ClassMasks {
  const void* x = nullptr;         // (regions,pixels,channels)
  void* to = nullptr;              // (regions,pixels)
  Numbers type = Numbers::kFloat;  // of both
  const float *filter = nullptr, *bias = nullptr,
              *classes = nullptr;  // (filters,channels), (filters), (regions)
  std::int64_t regions = 0;
  int pixels = 0, channels = 0, filters = 0;
};
// Not-a-number for regions of no class.
void multiply_by_class(const ClassMasks& m, cudaStream_t stream);

}  // namespace caffe2rt::cuda
