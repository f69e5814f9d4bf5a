// Clip and HardSigmoid: y = alpha * x + beta, cut off at both ends.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct ClippedLine {
  const void* from = nullptr;
  void* to = nullptr;
  std::int64_t size = 0;
  Numbers type = Numbers::kFloat;  // of both
  float alpha = 1, beta = 0, low = 0, high = 0;
  bool high_first = false;  // which end is seen to first, and is what not-a-number becomes (ops/clip.cpp)
};
void clip_line(const ClippedLine& line, cudaStream_t stream);

}  // namespace caffe2rt::cuda
