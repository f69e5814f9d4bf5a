// What launchers of kernels share. Kernels see plain pointers; tensors stay in the .cpp files beside them, so
// that nvcc needs no header of the tensor library.
#pragma once

#ifdef CAFFE2RT_CUDA_ON_HOST
#include "ops/cuda/on_host/cuda_on_host.h"  // of the tests
#else
#include <cuda_runtime.h>
#endif

#include <cstddef>
#include <cstdint>

namespace caffe2rt::cuda {

// Element types that a blob of numbers may have on a GPU.
enum class Numbers { kFloat, kHalf, kBfloat16 };

constexpr int kThreads = 256;

// Blocks of kThreads for `count` elements, one a thread; none for none.
inline unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>((count + kThreads - 1) / kThreads);
}

#if defined(__CUDACC__) || defined(CAFFE2RT_CUDA_ON_HOST)

// Runs a kernel by blocks of threads. `shared`: bytes of memory that a block's threads share, as
// CAFFE2RT_SHARED_MEMORY(name) gives it.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream,
            const Arguments&... arguments) {
#ifdef CAFFE2RT_CUDA_ON_HOST
  static_cast<void>(stream);
  on_host::launch(grid, block, shared, [&] { kernel(arguments...); });
#else
  // clang-format off
  kernel<<<grid, block, shared, stream>>>(arguments...);
  // clang-format on
#endif
}

// The same by a thread for each of `count` elements; nothing for none.
template <class... Parameters, class... Arguments>
void launch_for(std::int64_t count, void (*kernel)(Parameters...), cudaStream_t stream,
                const Arguments&... arguments) {
  if (count > 0) launch(kernel, blocks_for(count), kThreads, 0, stream, arguments...);
}

#ifdef CAFFE2RT_CUDA_ON_HOST
#define CAFFE2RT_SHARED_MEMORY(name) char* const name = ::caffe2rt::cuda::on_host::shared_memory()
#else
#define CAFFE2RT_SHARED_MEMORY(name) extern __shared__ char name[]
#endif

#endif

}  // namespace caffe2rt::cuda
