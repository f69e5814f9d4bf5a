// What libcaffe2rt_cuda.so is beside its operators: devices, their memory, and recordings of their work.
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>

#include "runtime/device.h"

namespace caffe2rt {
namespace {

// A CUDA graph.
class CudaGraph final : public Recording {
 public:
  // The default stream cannot be recorded. Those that share memory share a stream: cuBLAS keeps a workspace
  // for each.
  explicit CudaGraph(const CudaGraph* beside)
      : stream_(beside ? beside->stream_ : c10::cuda::getStreamFromPool()),
        pool_(beside ? beside->pool_ : at::cuda::graph_pool_handle()) {}

  void record(const std::function<void()>& work) {
    const c10::cuda::CUDAStreamGuard on_stream(stream_);
    // Other threads go on as they like.
    graph_.capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      end_after_failure();
      throw;
    }
    graph_.capture_end();
  }

  void replay() override { graph_.replay(); }

 private:
  void end_after_failure() noexcept {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      // Says again what went wrong.
      return;
    }
  }

  const c10::cuda::CUDAStream stream_;
  const c10::cuda::MempoolId_t pool_;
  at::cuda::CUDAGraph graph_;
};

class Module final : public CudaModule {
 public:
  Module() { register_cuda_module(*this); }

  int count(std::string& why_none) const noexcept override {
    try {
      return c10::cuda::device_count_ensure_non_zero();
    } catch (const c10::Error& e) {
      why_none = e.what_without_backtrace();
    } catch (const std::exception& e) {
      why_none = e.what();
    }
    return 0;
  }

  void limit_memory(c10::Device device, std::int64_t bytes) const override {
    const auto all = static_cast<double>(at::cuda::getDeviceProperties(device.index())->totalGlobalMem);
    c10::cuda::CUDACachingAllocator::setMemoryFraction(std::min(1.0, static_cast<double>(bytes) / all),
                                                       device.index());
  }

  std::unique_ptr<Recording> record(const std::function<void()>& work,
                                    const Recording* beside) const override {
    auto graph = std::make_unique<CudaGraph>(static_cast<const CudaGraph*>(beside));
    graph->record(work);
    return graph;
  }
};

const Module module;

}  // namespace
}  // namespace caffe2rt
