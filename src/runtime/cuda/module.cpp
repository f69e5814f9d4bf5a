// What libcaffe2rt_cuda.so is beside its operators: devices, their memory, and recordings of their work.
#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <vector>

#include "runtime/device.h"

namespace caffe2rt {
namespace {

// Streams that were made and are nobody's now. They are kept: the allocator keeps what it frees by stream.
class FreeStreams {
 public:
  c10::cuda::CUDAStream take(c10::DeviceIndex device) {
    const std::lock_guard lock(lock_);
    const auto found = std::ranges::find(free_, device, &c10::cuda::CUDAStream::device_index);
    if (found == free_.end()) return make(device);
    const c10::cuda::CUDAStream stream = *found;
    free_.erase(found);
    return stream;
  }
  void give_back(c10::cuda::CUDAStream stream) {
    const std::lock_guard lock(lock_);
    free_.push_back(stream);
  }

 private:
  static c10::cuda::CUDAStream make(c10::DeviceIndex device) {
    const c10::cuda::CUDAGuard guard(device);
    cudaStream_t stream = nullptr;
    C10_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return c10::cuda::getStreamFromExternal(stream, device);
  }

  std::mutex lock_;
  std::vector<c10::cuda::CUDAStream> free_;
};

using LentStream = std::shared_ptr<const c10::Stream>;

LentStream lend(c10::DeviceIndex device) {
  static FreeStreams& streams =
      *new FreeStreams;  // what holds a stream may live longer than any other static
  const c10::cuda::CUDAStream stream = streams.take(device);
  return {new c10::Stream(stream.unwrap()), [stream](const c10::Stream* lent) {
            delete lent;
            streams.give_back(stream);
          }};
}

// Recordings are made and forgotten one at a time in a process: both change what the tensor library keeps for
// the whole device.
std::mutex& recording_lock() {
  static std::mutex lock;
  return lock;
}

// A CUDA graph.
class CudaGraph final : public Recording {
 public:
  // Recorded on a stream apart from those that work is done on: what cuBLAS allots to a stream while it is
  // recorded stays with the recordings. Those that share memory share the stream.
  explicit CudaGraph(const CudaGraph* beside)
      : stream_(beside ? beside->stream_ : lend(c10::cuda::current_device())),
        pool_(beside ? beside->pool_ : at::cuda::graph_pool_handle()) {}

  ~CudaGraph() override {
    const std::lock_guard lock(recording_lock());
    graph_.reset();
  }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void record(const std::function<void()>& work) {
    const std::lock_guard lock(recording_lock());
    const c10::cuda::CUDAStreamGuard on_stream(*stream_);
    // Other threads go on as they like.
    graph_->capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      end_after_failure();
      throw;
    }
    graph_->capture_end();
  }

  void replay() override { graph_->replay(); }

 private:
  void end_after_failure() noexcept {
    try {
      graph_->capture_end();
    } catch (const std::exception&) {
      // Says again what went wrong.
      return;
    }
  }

  const LentStream stream_;
  const c10::cuda::MempoolId_t pool_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_ = std::make_unique<at::cuda::CUDAGraph>();
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
    at::globalContext().lazyInitDevice(at::kCUDA);  // before it there is no allocator
    const auto all = static_cast<double>(at::cuda::getDeviceProperties(device.index())->totalGlobalMem);
    c10::cuda::CUDACachingAllocator::setMemoryFraction(std::min(1.0, static_cast<double>(bytes) / all),
                                                       device.index());
  }

  void trim_memory() const override { c10::cuda::CUDACachingAllocator::emptyCache(); }

  LentStream lend_stream(c10::Device device) const override { return lend(device.index()); }

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
