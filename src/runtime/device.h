// Devices: what a net can run on, by the names that users give, and the module of ours that computes on
// NVIDIA GPUs. The core links nothing of CUDA: the module is opened where there is a driver for it.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include <functional>
#include <memory>
#include <string>

namespace caffe2rt {

// "cpu", "cuda" (the first one), "cuda:N"; "gpu" is "cuda". "auto" is "cuda" where there is one, else "cpu",
// which the log says once. Throws Error(kDevice) that names what is missing, and Error(kArgument) for other
// names.
c10::Device parse_device(const std::string& name);

// Opens the module where driver and module are there; the first call decides for the process. ATen looks for
// its CUDA half once, at the first call that asks (any convolution does): everything here that calls it comes
// by this first, so that a net on the CPU does not keep a later one from the GPU.
void load_devices();

// Work that a GPU has recorded.
class Recording {
 public:
  Recording() = default;
  virtual ~Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Does it again, on the same memory, in the order of the calling thread's other work for the device; waits
  // for nothing. Throws what the tensor library throws.
  virtual void replay() = 0;
};

// What the module says of itself when it is loaded.
class CudaModule {
 public:
  virtual ~CudaModule() = default;
  // How many devices there are. Throws nothing: 0 where the driver does not work, with a word why.
  virtual int count(std::string& why_none) const noexcept = 0;
  // Bounds the memory that this process's tensors may have on a device.
  virtual void limit_memory(c10::Device device, std::int64_t bytes) const = 0;
  // Gives back what was freed and kept for later, on all devices.
  virtual void trim_memory() const = 0;
  // A stream of a device that nobody else is given until what holds it is gone: those of the tensor library's
  // own pool repeat themselves, and what one thread asks for while another records would be recorded too.
  virtual std::shared_ptr<const c10::Stream> lend_stream(c10::Device device) const = 0;
  // Records what `work` asks of the current device, which is not done by that; see
  // Operator::can_be_recorded(). Tensors that `work` makes keep their memory while the recording lives.
  // `beside`, if not null, is another that never runs at the same time, with which memory is shared. Throws
  // what `work` and the tensor library throw.
  virtual std::unique_ptr<Recording> record(const std::function<void()>& work,
                                            const Recording* beside) const = 0;
};
void register_cuda_module(const CudaModule& module);
const CudaModule* cuda_module();  // null: not loaded

// Opens a module; returns what is missing, or "". For tests; load_devices() does it with the real names.
std::string open_module(const std::string& driver, const std::string& module);

// Bounds the memory that this process's tensors may have on a device, all models together; what asks for more
// gets Error(kMemory). The CPU has no bound, which the log says. Throws what the tensor library throws.
void limit_memory(c10::Device device, std::int64_t bytes);

// The module's file: beside libcaffe2rt.so.
std::string module_file();

}  // namespace caffe2rt
