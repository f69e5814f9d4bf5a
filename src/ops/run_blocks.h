// Runs the blocks of a kernel on the threads of the tensor library.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace caffe2rt {

// Calls run(block, scratch) for every block, `scratch` being `scratch_size` floats of the thread's own. Each
// thread has its part of the blocks, one beside the other, as it has of the operators before and after: what
// they read lies in its core's cache. Who is done takes what others have not come to, as cores are not always
// equally fast.
template <class Run>
void run_blocks(int blocks, size_t scratch_size, Run&& run) {
  const int threads = std::min(at::get_num_threads(), blocks);
  const at::Tensor scratch = at::empty({threads, static_cast<std::int64_t>(scratch_size)}, at::kFloat);
  auto* memory = scratch.mutable_data_ptr<float>();
  struct alignas(64) Part {
    std::atomic<int> next;
    int end;
  };
  std::vector<Part> parts(threads);
  const auto begin_of = [&](std::int64_t part) { return static_cast<int>(part * blocks / threads); };
  for (int t = 0; t < threads; t++) {
    parts[t].next = begin_of(t);
    parts[t].end = begin_of(t + 1);
  }
  at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; t++)
      for (int i = 0; i < threads; i++) {
        Part& part = parts[(t + i) % threads];
        for (int block = part.next++; block < part.end; block = part.next++)
          run(block, memory + static_cast<size_t>(t) * scratch_size);
      }
  });
}

}  // namespace caffe2rt
