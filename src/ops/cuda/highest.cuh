// The highest of the numbers that a block's threads have.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

// The highest value and where it is: of equal ones the first.
struct Highest {
  float value;
  std::int64_t position;
};

__device__ inline bool is_before(const Highest& a, const Highest& b) {
  return a.value > b.value || (a.value == b.value && a.position < b.position);
}

// The highest of all threads of a block, which each thread is given. A block runs one thread a value of
// threadIdx.x < kThreads.
__device__ inline Highest highest_of_block(Highest own) {
  __shared__ float values[kThreads];
  __shared__ std::int64_t positions[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  values[thread] = own.value;
  positions[thread] = own.position;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) {
      const Highest a{values[thread], positions[thread]}, b{values[thread + half], positions[thread + half]};
      const Highest best = is_before(b, a) ? b : a;
      values[thread] = best.value;
      positions[thread] = best.position;
    }
    __syncthreads();
  }
  const Highest best{values[0], positions[0]};
  __syncthreads();
  return best;
}

}  // namespace caffe2rt::cuda
