#include "decode/blob_access.h"

#include <algorithm>

#include "base/error.h"
#include "runtime/partial_shape.h"

namespace caffe2rt {

namespace {

at::Tensor find_blob(const Blobs& blobs, const std::string& name) {
  const auto found = blobs.find(name);
  require(found != blobs.end() && found->second.defined(), ErrorCode::kNotFound, "blob '{}' is missing",
          name);
  return found->second;
}

}  // namespace

at::Tensor host_blob(const Blobs& blobs, const std::string& name, at::MemoryFormat format) {
  return find_blob(blobs, name).to(at::kCPU, at::kFloat).contiguous(format);
}

at::Tensor host_ints(const Blobs& blobs, const std::string& name) {
  return find_blob(blobs, name).to(at::kCPU, at::kInt).contiguous();
}

at::Tensor host_blob(const Blobs& blobs, const std::string& name, std::initializer_list<std::int64_t> shape,
                     at::MemoryFormat format) {
  at::Tensor blob = host_blob(blobs, name, format);
  const PartialShape expected = std::vector<std::int64_t>(shape), got = blob.sizes().vec();
  require(compatible(expected, got), ErrorCode::kShape, "blob '{}': expected {}, got {}", name,
          to_string(expected), to_string(got));
  return blob;
}

bool writes(const NetDef& net, const std::string& blob) {
  return std::any_of(net.ops.begin(), net.ops.end(), [&](const OperatorDef& op) {
    return std::find(op.outputs.begin(), op.outputs.end(), blob) != op.outputs.end();
  });
}

}  // namespace caffe2rt
