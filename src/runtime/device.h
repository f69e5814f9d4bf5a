// Devices: what a net can run on, by the names that users give, and the module of ours that computes on
// NVIDIA GPUs. The core links nothing of CUDA: the module is opened where there is a driver for it.
#pragma once

#include <c10/core/Device.h>

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

// What the module says of itself when it is loaded.
class CudaModule {
 public:
  virtual ~CudaModule() = default;
  // How many devices there are. Throws nothing: 0 where the driver does not work, with a word why.
  virtual int count(std::string& why_none) const noexcept = 0;
};
void register_cuda_module(const CudaModule& module);
const CudaModule* cuda_module();  // null: not loaded

// Opens a module; returns what is missing, or "". For tests; load_devices() does it with the real names.
std::string open_module(const std::string& driver, const std::string& module);

// The module's file: beside libcaffe2rt.so.
std::string module_file();

}  // namespace caffe2rt
