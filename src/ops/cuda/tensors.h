// Tensors for kernels: pointers, element types and the stream to launch on, of the current device.
#pragma once

#include <ATen/core/Tensor.h>
#ifndef CAFFE2RT_CUDA_ON_HOST
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include "base/error.h"
#include "ops/cuda/launch.h"
#include "ops/cuda/strides.h"

namespace caffe2rt::cuda {

#ifdef CAFFE2RT_CUDA_ON_HOST
inline cudaStream_t stream() { return nullptr; }
inline void check_launch() {}
inline void check(cudaError_t) {}
#else
inline cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }
// After each launch: what is wrong with it is an exception. Nothing is waited for.
inline void check_launch() { C10_CUDA_KERNEL_LAUNCH_CHECK(); }
// What the runtime answers: what is wrong is an exception.
inline void check(cudaError_t answer) { C10_CUDA_CHECK(answer); }
#endif

inline Numbers numbers_of(const at::Tensor& t) {
  switch (t.scalar_type()) {
    case at::kFloat:
      return Numbers::kFloat;
    case at::kHalf:
      return Numbers::kHalf;
    case at::kBFloat16:
      return Numbers::kBfloat16;
    default:
      fail(ErrorCode::kType, "expected float32, float16 or bfloat16, got {}", c10::toString(t.scalar_type()));
  }
}

// Of a tensor of four dimensions.
inline Strides strides_of(const at::Tensor& t) {
  return {t.stride(0), t.stride(1), t.stride(2), t.stride(3)};
}

// Contiguous float32.
inline at::Tensor floats(const at::Tensor& t) { return t.to(at::kFloat).contiguous(); }

}  // namespace caffe2rt::cuda
