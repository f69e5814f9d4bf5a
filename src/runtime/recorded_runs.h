// Runs that a GPU has recorded (CUDA graphs): what hundreds of launches ask for is then asked for by one
// call. A run holds for inputs of the shapes and types that it was recorded with. Source: "Getting Started
// with CUDA Graphs", NVIDIA, 2019.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "runtime/device.h"

namespace caffe2rt {

// Not thread-safe: one a thread that runs the net.
class RecordedRuns {
 public:
  using Tensors = std::vector<at::Tensor>;
  using Work = std::function<Tensors(const Tensors&)>;

  static constexpr size_t kMost = 16;  // sets of shapes that are remembered, those of the latest runs

  // What `work` makes of `feeds`, which lie on the device, and it is the same work in every call but for what
  // it reads in the host's memory, which is `of_host`. When inputs of the same shapes and types, and the same
  // values of the host, come for the second time it is recorded, from the third time on replayed; its results
  // then are valid until the next run. Where it cannot be recorded, which the log says once, it
  // is done each time. Where memory does not suffice, recordings are forgotten and it is tried once more.
  // Throws what `work` throws.
  Tensors run(const CudaModule& module, const Tensors& feeds, const Tensors& of_host, const Work& work);

 private:
  struct Run {
    Tensors feeds, results;                // of the recording
    std::unique_ptr<Recording> recording;  // null: its inputs came once
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<at::ScalarType> types;
    Tensors of_host;
    bool takes_too_much = false;  // there is no memory for its recording

    bool fits(const Tensors& feeds, const Tensors& of_host) const;
    void forget_recording();  // and its tensors
  };

  Tensors run_known(const CudaModule& module, Run& run, const Tensors& feeds, const Work& work);
  void record(const CudaModule& module, Run& run, const Tensors& feeds, const Work& work);
  void try_to_record(const CudaModule& module, Run& run, const Tensors& feeds, const Work& work);
  bool forget_recordings(const CudaModule& module);  // whether there were any

  std::list<Run> runs_;  // the latest first
  bool given_up_ = false;
};

}  // namespace caffe2rt
