#include "geometry/linear_tap.h"
#include "ops/cuda/numbers.cuh"
#include "ops/cuda/semantic_labels.h"

namespace caffe2rt::cuda {
namespace {

// A thread a pixel.
template <class T>
__global__ void label_kernel(LabeledFrame f) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= static_cast<std::int64_t>(f.frame_height) * f.frame_width) return;
  const LinearTap y(static_cast<int>(i / f.frame_width), f.height, f.frame_height),
      x(static_cast<int>(i % f.frame_width), f.width, f.frame_width);
  const T* logits = static_cast<const T*>(f.logits);
  const T *upper = logits + y.low * f.strides.h, *lower = logits + y.high * f.strides.h;
  const std::int64_t left = x.low * f.strides.w, right = x.high * f.strides.w;
  int best = 0;
  float most = 0;
  for (int c = 0; c < f.classes; c++, upper += f.strides.c, lower += f.strides.c) {
    const float value = x.between(y.between(to_float(upper[left]), to_float(lower[left])),
                                  y.between(to_float(upper[right]), to_float(lower[right])));
    if (c > 0 && !(value > most)) continue;
    most = value;
    best = c;
  }
  f.to[i] = best;
}

}  // namespace

void find_labels(const LabeledFrame& f, cudaStream_t stream) {
  with_type(f.type, [&](auto t) {
    launch_for(static_cast<std::int64_t>(f.frame_height) * f.frame_width, label_kernel<decltype(t)>, stream,
               f);
  });
}

}  // namespace caffe2rt::cuda
