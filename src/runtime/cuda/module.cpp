// What libcaffe2rt_cuda.so is beside its operators: it tells the core how many devices there are.
#include <c10/cuda/CUDAFunctions.h>
#include <c10/util/Exception.h>

#include "runtime/device.h"

namespace caffe2rt {
namespace {

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
};

const Module module;

}  // namespace
}  // namespace caffe2rt
