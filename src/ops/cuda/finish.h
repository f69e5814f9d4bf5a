// What follows a sum of products, in one pass over memory: y = f(x + bias + residual), each part where there
// is one; f is max(.., 0), in which not-a-number becomes 0 as on the CPU (ops/relu.cpp), or a HardSwish.
#pragma once

#include "kernels/hard_swish.h"
#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct Finish {
  const void* from = nullptr;  // `size` numbers; may be `to`
  void* to = nullptr;
  const float* bias = nullptr;     // by index modulo `channels`, or none
  const void* residual = nullptr;  // `size` numbers, or none
  std::int64_t size = 0, channels = 1;
  bool relu = false;
  HardSwish hard_swish;
  Numbers type = Numbers::kFloat;  // of from, to and residual
};
void finish(const Finish& f, cudaStream_t stream);

}  // namespace caffe2rt::cuda
