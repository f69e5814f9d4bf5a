// Runs the blocks of a kernel on the threads of the tensor library.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <atomic>

namespace caffe2rt {

// Calls run(block, scratch) for every block, `scratch` being `scratch_size` floats of the thread's own. Who
// is done takes the next block, as cores are not always equally fast.
template <class Run>
void run_blocks(int blocks, size_t scratch_size, Run&& run) {
  const int threads = std::min(at::get_num_threads(), blocks);
  const at::Tensor scratch = at::empty({threads, static_cast<std::int64_t>(scratch_size)}, at::kFloat);
  auto* memory = scratch.mutable_data_ptr<float>();
  std::atomic<int> next = 0;
  at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; t++)
      for (int block = next++; block < blocks; block = next++)
        run(block, memory + static_cast<size_t>(t) * scratch_size);
  });
}

}  // namespace caffe2rt
