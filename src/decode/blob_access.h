// How decoders take blobs: by name, checked, as contiguous float32 on the host.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>

#include "graph/graph.h"

namespace caffe2rt {

// Throws Error(kNotFound) where there is no such blob.
at::Tensor host_blob(const Blobs& blobs, const std::string& name);

// The same, of a shape; -1 matches any size. Throws Error(kShape).
at::Tensor host_blob(const Blobs& blobs, const std::string& name, std::initializer_list<std::int64_t> shape);

// True where an operator of the net writes a blob of that name.
bool writes(const NetDef& net, const std::string& blob);

}  // namespace caffe2rt
