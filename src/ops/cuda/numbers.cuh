// Element types inside kernels: conversion to and from float, and several at a time in one access to memory.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(__half v) { return __half2float(v); }
__device__ inline float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }

template <class T>
__device__ T from_float(float v);
template <>
__device__ inline float from_float<float>(float v) {
  return v;
}
template <>
__device__ inline __half from_float<__half>(float v) {
  return __float2half_rn(v);
}
template <>
__device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float v) {
  return __float2bfloat16_rn(v);
}

// `width` neighbours; memory has to be aligned to all of them.
template <class T, int width>
struct alignas(sizeof(T) * width) Pack {
  T values[width];
};

// Calls f(T()) with T for `type`.
template <class F>
void with_type(Numbers type, F&& f) {
  switch (type) {
    case Numbers::kFloat:
      return f(float());
    case Numbers::kHalf:
      return f(__half());
    case Numbers::kBfloat16:
      return f(__nv_bfloat16());
  }
}

// As many of T as one access moves at most.
constexpr int kPackBytes = 16;
template <class T>
constexpr int kPack = kPackBytes / static_cast<int>(sizeof(T));

// Whether such packs may begin at all of these places.
template <class... Pointers>
bool are_aligned(const Pointers*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % kPackBytes == 0) && ...);
}

}  // namespace caffe2rt::cuda
