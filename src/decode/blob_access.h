// How decoders take blobs: by name, checked, as float32 on the host, contiguous in the format that is asked
// for: of a large blob, putting it into another one takes as long as a net's layers.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>

#include "graph/graph.h"

namespace caffe2rt {

// Throws Error(kNotFound) where there is no such blob.
at::Tensor host_blob(const Blobs& blobs, const std::string& name,
                     at::MemoryFormat format = at::MemoryFormat::Contiguous);

// The same, of a shape; -1 matches any size. Throws Error(kShape).
at::Tensor host_blob(const Blobs& blobs, const std::string& name, std::initializer_list<std::int64_t> shape,
                     at::MemoryFormat format = at::MemoryFormat::Contiguous);

// Integers: contiguous int32. Throws Error(kNotFound) where there is no such blob.
at::Tensor host_ints(const Blobs& blobs, const std::string& name);

// True where an operator of the net writes a blob of that name.
bool writes(const NetDef& net, const std::string& blob);

}  // namespace caffe2rt
