// The way from the light plugin to the engine: libcaffe2rt.so, and libtorch behind it, come into the process
// when the first model is wanted and stay to its end (libtorch cannot be unloaded).
#pragma once

#include <memory>

#include "model/model.h"

namespace caffe2rt::gst {

// Loads a model. All of it happens on a thread of its own that ends before this returns: neither the caller
// nor its OpenMP settings and threads are touched. Throws Error. The environment variable CAFFE2RT_LIBRARY
// names another library than the one installed with the plugin.
std::shared_ptr<const Model> open_model(const ModelOptions& options);

}  // namespace caffe2rt::gst
