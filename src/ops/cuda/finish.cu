#include <algorithm>

#include "ops/cuda/finish.h"
#include "ops/cuda/numbers.cuh"

namespace caffe2rt::cuda {
namespace {

template <class T, int width>
__global__ void finish_kernel(Finish f) {
  using Values = Pack<T, width>;
  const std::int64_t packs = f.size / width;
  const auto* from = static_cast<const Values*>(f.from);
  const auto* residual = static_cast<const Values*>(f.residual);
  auto* to = static_cast<Values*>(f.to);
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < packs;
       i += step) {
    Values values = from[i];
    const Values more = residual ? residual[i] : Values{};
    const std::int64_t channel = f.bias ? i * width % f.channels : 0;
#pragma unroll
    for (int k = 0; k < width; k++) {
      float v = to_float(values.values[k]);
      if (f.bias) v += f.bias[channel + k];
      if (residual) v += to_float(more.values[k]);
      if (f.relu) v = v > 0 ? v : 0;
      if (f.hard_swish) v = f.hard_swish(v);
      values.values[k] = from_float<T>(v);
    }
    to[i] = values;
  }
}

}  // namespace

void finish(const Finish& f, cudaStream_t stream) {
  if (f.size == 0) return;
  const bool aligned = are_aligned(f.from, f.to, f.residual);
  with_type(f.type, [&](auto t) {
    using T = decltype(t);
    constexpr unsigned kMostBlocks = 132 * 16;  // enough for any GPU; each thread goes on to the next
    const bool packed = aligned && f.size % kPack<T> == 0 && (!f.bias || f.channels % kPack<T> == 0);
    const unsigned blocks = std::min(kMostBlocks, blocks_for(packed ? f.size / kPack<T> : f.size));
    if (packed)
      launch(finish_kernel<T, kPack<T>>, blocks, kThreads, 0, stream, f);
    else
      launch(finish_kernel<T, 1>, blocks, kThreads, 0, stream, f);
  });
}

}  // namespace caffe2rt::cuda
