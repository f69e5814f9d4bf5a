#include <cmath>

#include "ops/cuda/mask_of_class.h"
#include "ops/cuda/numbers.cuh"

namespace caffe2rt::cuda {
namespace {

// A row of blocks a region, whose filter they share; a thread a pixel.
template <class T, int width>
__global__ void mask_kernel(ClassMasks m) {
  CAFFE2RT_SHARED_MEMORY(shared);
  float* filter = reinterpret_cast<float*>(shared);
  const std::int64_t region = blockIdx.y;
  const float class_in_file = m.classes[region];
  const bool known = class_in_file >= 0 && class_in_file < static_cast<float>(m.filters);
  const int k = known ? static_cast<int>(class_in_file) : 0;
  for (int c = static_cast<int>(threadIdx.x); c < m.channels; c += kThreads)
    filter[c] = m.filter[static_cast<std::int64_t>(k) * m.channels + c];
  __syncthreads();
  const int pixel = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (pixel >= m.pixels) return;
  const std::int64_t at = region * m.pixels + pixel;
  const auto* x = reinterpret_cast<const Pack<T, width>*>(static_cast<const T*>(m.x) + at * m.channels);
  float sum = m.bias[k];
  for (int c = 0; c < m.channels; c += width) {
    const Pack<T, width> values = x[c / width];
#pragma unroll
    for (int i = 0; i < width; i++) sum += to_float(values.values[i]) * filter[c + i];
  }
  static_cast<T*>(m.to)[at] = from_float<T>(known ? sum : NAN);
}

}  // namespace

void multiply_by_class(const ClassMasks& m, cudaStream_t stream) {
  if (m.regions == 0 || m.pixels == 0) return;
  const dim3 grid(blocks_for(m.pixels), static_cast<unsigned>(m.regions));
  const std::size_t shared = sizeof(float) * static_cast<std::size_t>(m.channels);
  with_type(m.type, [&](auto t) {
    using T = decltype(t);
    const bool packed = m.channels % kPack<T> == 0 && are_aligned(m.x);
    if (packed)
      launch(mask_kernel<T, kPack<T>>, grid, kThreads, shared, stream, m);
    else
      launch(mask_kernel<T, 1>, grid, kThreads, shared, stream, m);
  });
}

}  // namespace caffe2rt::cuda
