#include "ops/cuda/clip.h"
#include "ops/cuda/numbers.cuh"

namespace caffe2rt::cuda {
namespace {

__device__ float at_least(float low, float v) { return v > low ? v : low; }
__device__ float at_most(float high, float v) { return v < high ? v : high; }

// A thread an element.
template <class T>
__global__ void clip_kernel(ClippedLine line) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= line.size) return;
  const float v = line.alpha * to_float(static_cast<const T*>(line.from)[i]) + line.beta;
  const float y =
      line.high_first ? at_least(line.low, at_most(line.high, v)) : at_most(line.high, at_least(line.low, v));
  static_cast<T*>(line.to)[i] = from_float<T>(y);
}

}  // namespace

void clip_line(const ClippedLine& line, cudaStream_t stream) {
  with_type(line.type, [&](auto t) { launch_for(line.size, clip_kernel<decltype(t)>, stream, line); });
}

}  // namespace caffe2rt::cuda
