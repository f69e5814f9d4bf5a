#include "runtime/device.h"

#include <dlfcn.h>

#include <charconv>
#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "base/logging.h"

namespace caffe2rt {
namespace {

constexpr const char* kDriver = "libcuda.so.1";
constexpr int kMostDevices = 127;  // what a c10::Device can count

const CudaModule* registered = nullptr;

// What keeps the GPU away; "" where nothing does.
const std::string& what_is_missing() {
  static const std::string missing = open_module(kDriver, module_file());
  return missing;
}

// "" where device `index` can be used, else what is missing.
std::string why_not(int index) {
  if (!what_is_missing().empty()) return what_is_missing();
  std::string why;
  const int devices = registered->count(why);
  if (devices == 0) return "the driver finds no device" + (why.empty() ? "" : ": " + why);
  if (index >= devices) return fmt::format("there {} {}", devices == 1 ? "is only" : "are only", devices);
  return "";
}

// The N of "cuda:N"; -1 for what is no number.
int read_index(std::string_view text) {
  int index = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() && index <= kMostDevices ? index : -1;
}

c10::Device automatic() {
  const std::string missing = why_not(0);
  if (missing.empty()) return {c10::DeviceType::CUDA, 0};
  static std::once_flag said;
  std::call_once(said, [&] { LOG(INFO) << "device auto: running on the CPU: " << missing; });
  return c10::DeviceType::CPU;
}

}  // namespace

std::string module_file() {
  Dl_info info{};
  const bool found = dladdr(reinterpret_cast<const void*>(&parse_device), &info) != 0 && info.dli_fname;
  const std::filesystem::path here = found ? info.dli_fname : "";
  return (here.parent_path() / "libcaffe2rt_cuda.so").string();
}

std::string open_module(const std::string& driver, const std::string& module) {
  if (!dlopen(driver.c_str(), RTLD_LAZY | RTLD_LOCAL))
    return fmt::format("no NVIDIA driver: '{}' cannot be opened", driver);
  std::error_code error;
  if (!std::filesystem::exists(module, error))
    return fmt::format("no module for CUDA: expected '{}', which a build with CAFFE2RT_CUDA makes", module);
  if (!dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL)) return dlerror();
  return registered ? "" : fmt::format("'{}' is no module of this library", module);
}

void register_cuda_module(const CudaModule& module) { registered = &module; }
const CudaModule* cuda_module() { return registered; }

void limit_memory(c10::Device device, std::int64_t bytes) {
  if (device.is_cpu())
    LOG(WARNING) << "max-memory: has no effect on the CPU";
  else
    registered->limit_memory(device, bytes);
}

void load_devices() { what_is_missing(); }

c10::Device parse_device(const std::string& name) {
  load_devices();
  if (name == "cpu") return c10::DeviceType::CPU;
  if (name == "auto") return automatic();
  int index = name == "cuda" || name == "gpu" ? 0 : -1;
  if (name.starts_with("cuda:")) index = read_index(std::string_view(name).substr(5));
  require(index >= 0, ErrorCode::kArgument, "device: expected cpu, cuda, cuda:N or auto, got '{}'", name);
  const std::string missing = why_not(index);
  require(missing.empty(), ErrorCode::kDevice, "device '{}': {}", name, missing);
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace caffe2rt
