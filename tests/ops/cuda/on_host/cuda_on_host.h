// Kernels as functions of the host: what they use of CUDA's language, for a compiler of C++, so that their
// results can be tested where no GPU is. Blocks run one after the other, a block's threads as fibers that
// take turns at __syncthreads(). Included by ops/cuda/launch.h where CAFFE2RT_CUDA_ON_HOST is defined.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

// One block at a time: what its threads share can be static.
#undef __shared__
#define __shared__ static

namespace caffe2rt::cuda::on_host {

inline uint3 thread_index, block_index;
inline dim3 block_size, grid_size;

// Runs `thread` for every thread of every block. Throws std::logic_error where one is left waiting.
void launch(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& thread);

void synchronize();     // __syncthreads()
char* shared_memory();  // of the block, as long as the launch says

}  // namespace caffe2rt::cuda::on_host

#define threadIdx ::caffe2rt::cuda::on_host::thread_index
#define blockIdx ::caffe2rt::cuda::on_host::block_index
#define blockDim ::caffe2rt::cuda::on_host::block_size
#define gridDim ::caffe2rt::cuda::on_host::grid_size

inline void __syncthreads() { caffe2rt::cuda::on_host::synchronize(); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }

template <class T>
T atomicAdd(T* to, T value) {
  const T before = *to;
  *to += value;
  return before;
}
