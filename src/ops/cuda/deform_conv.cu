#include "ops/cuda/deform_conv.h"
#include "ops/cuda/numbers.cuh"

namespace caffe2rt::cuda {
namespace {

// A thread a few neighbouring channels of a tap, all of one group.
template <class T, int width>
__global__ void tap_kernel(GatheredTaps t) {
  const int packs = t.channels / width;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= t.count * t.grid.taps * packs) return;
  const int channel = static_cast<int>(i % packs) * width;
  const std::int64_t place = i / packs;  // in (count,taps)
  const DeformTap tap = t.grid.tap(t.first + place / t.grid.taps, channel / (t.channels / t.groups),
                                   static_cast<int>(place % t.grid.taps), t.offset, t.mask);
  float sums[width] = {};
  for (int corner = 0; corner < 4 && tap.inside; corner++) {
    const int y = tap.row + corner / 2, x = tap.column + corner % 2;
    if (y < 0 || x < 0 || y >= t.grid.height || x >= t.grid.width) continue;
    const T* pixel = static_cast<const T*>(t.image) +
                     (static_cast<std::int64_t>(y) * t.grid.width + x) * t.channels + channel;
    const auto values = *reinterpret_cast<const Pack<T, width>*>(pixel);
    for (int c = 0; c < width; c++) sums[c] += tap.weights[corner] * to_float(values.values[c]);
  }
  Pack<T, width> result;
  for (int c = 0; c < width; c++) result.values[c] = from_float<T>(sums[c]);
  *reinterpret_cast<Pack<T, width>*>(static_cast<T*>(t.to) + place * t.channels + channel) = result;
}

}  // namespace

void gather_taps(const GatheredTaps& t, cudaStream_t stream) {
  with_type(t.type, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t values = t.count * t.grid.taps * t.channels;
    if (t.channels / t.groups % kPack<T> == 0 && are_aligned(t.image, t.to))
      launch_for(values / kPack<T>, tap_kernel<T, kPack<T>>, stream, t);
    else
      launch_for(values, tap_kernel<T, 1>, stream, t);
  });
}

}  // namespace caffe2rt::cuda
