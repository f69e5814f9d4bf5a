// What launchers of kernels share. Kernels see plain pointers; tensors stay in the .cpp files beside them, so
// that nvcc needs no header of the tensor library.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace caffe2rt::cuda {

// Element types that a blob of numbers may have on a GPU.
enum class Numbers { kFloat, kHalf, kBfloat16 };

constexpr int kThreads = 256;

// Blocks of kThreads for `count` elements, one a thread; none for none.
inline unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>((count + kThreads - 1) / kThreads);
}

}  // namespace caffe2rt::cuda
