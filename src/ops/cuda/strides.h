// Strides of a (N,C,H,W) tensor, for kernels that read it however it lies in memory.
#pragma once

#include <cstdint>

namespace caffe2rt::cuda {

// In elements.
struct Strides {
  std::int64_t n = 0, c = 0, h = 0, w = 0;
};

}  // namespace caffe2rt::cuda
