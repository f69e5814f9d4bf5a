#include <cmath>

#include "ops/cuda/max_pool.h"
#include "ops/cuda/numbers.cuh"

namespace caffe2rt::cuda {
namespace {

// Pixels [first, last) of a window that lie in an image.
struct Inside {
  int first, last;

  __device__ Inside(int window, int stride, int before, int kernel, int size) {
    first = window * stride - before;
    last = first + kernel < size ? first + kernel : size;
    if (first < 0) first = 0;
  }
};

// A thread a few neighbouring channels of a window.
template <class T, int width>
__global__ void max_kernel(PooledImages p) {
  using Values = Pack<T, width>;
  const int packs = p.channels / width;
  std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= p.images * p.to_height * p.to_width * packs) return;
  auto* const to = static_cast<Values*>(p.to) + i;
  const int pack = static_cast<int>(i % packs);
  i /= packs;
  const Inside columns(static_cast<int>(i % p.to_width), p.stride[1], p.before[1], p.kernel[1], p.width);
  i /= p.to_width;
  const Inside rows(static_cast<int>(i % p.to_height), p.stride[0], p.before[0], p.kernel[0], p.height);
  const auto* image =
      static_cast<const Values*>(p.from) + i / p.to_height * p.height * p.width * packs + pack;
  const bool empty = rows.first >= rows.last || columns.first >= columns.last;
  float most[width];
  for (int c = 0; c < width; c++) most[c] = empty ? 0 : -INFINITY;
  for (int y = rows.first; y < rows.last; y++)
    for (int x = columns.first; x < columns.last; x++) {
      const Values values = image[(static_cast<std::int64_t>(y) * p.width + x) * packs];
#pragma unroll
      for (int c = 0; c < width; c++) {
        const float value = to_float(values.values[c]);
        if (value > most[c] || value != value) most[c] = value;
      }
    }
  Values result;
  for (int c = 0; c < width; c++) result.values[c] = from_float<T>(most[c]);
  *to = result;
}

}  // namespace

void max_pool(const PooledImages& p, cudaStream_t stream) {
  with_type(p.type, [&](auto t) {
    using T = decltype(t);
    const std::int64_t values = p.images * p.to_height * p.to_width * p.channels;
    if (p.channels % kPack<T> == 0 && are_aligned(p.from, p.to))
      launch_for(values / kPack<T>, max_kernel<T, kPack<T>>, stream, p);
    else
      launch_for(values, max_kernel<T, 1>, stream, p);
  });
}

}  // namespace caffe2rt::cuda
