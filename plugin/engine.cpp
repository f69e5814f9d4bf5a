#include "engine.h"

#include <dlfcn.h>

#include <cstdlib>
#include <future>

#include "base/error.h"

namespace caffe2rt::gst {
namespace {

LoadModel find_load_model() {
  const char* chosen = std::getenv("CAFFE2RT_LIBRARY");
  const char* library = chosen ? chosen : "libcaffe2rt.so";  // by the plugin's run path
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  require(handle, ErrorCode::kNotFound, "the engine cannot be loaded: {}", dlerror());
  void* symbol = dlsym(handle, kLoadModelSymbol);
  require(symbol, ErrorCode::kNotFound, "the engine {} is no libcaffe2rt: {}", library, dlerror());
  return reinterpret_cast<LoadModel>(symbol);
}

}  // namespace

std::shared_ptr<const Model> open_model(const ModelOptions& options) {
  return std::async(std::launch::async,
                    [&] {
                      static const LoadModel load = find_load_model();
                      return std::shared_ptr<const Model>(load(options));
                    })
      .get();
}

}  // namespace caffe2rt::gst
