// Kernels that take upright boxes (Box) and rotated ones (RotatedBox) alike.
#pragma once

#include "geometry/box.h"
#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

// Numbers of a box.
inline int box_size(bool rotated) { return rotated ? RotatedBox::kSize : Box::kSize; }

// Calls f with a box of the kind.
template <class F>
void with_box(bool rotated, F&& f) {
  if (rotated)
    f(RotatedBox{});
  else
    f(Box{});
}

#if defined(__CUDACC__) || defined(CAFFE2RT_CUDA_ON_HOST)

// B::kSize numbers as a box, and back.
template <class B>
__device__ B box_at(const float* from);
template <>
__device__ inline Box box_at<Box>(const float* from) {
  return {from[0], from[1], from[2], from[3]};
}
template <>
__device__ inline RotatedBox box_at<RotatedBox>(const float* from) {
  return {from[0], from[1], from[2], from[3], from[4]};
}
__device__ inline void put_box(const Box& box, float* to) {
  to[0] = box.x1;
  to[1] = box.y1;
  to[2] = box.x2;
  to[3] = box.y2;
}
__device__ inline void put_box(const RotatedBox& box, float* to) {
  to[0] = box.cx;
  to[1] = box.cy;
  to[2] = box.width;
  to[3] = box.height;
  to[4] = box.angle;
}

#endif

}  // namespace caffe2rt::cuda
