// The element type that a blob counts as.
#pragma once

#include <ATen/core/Tensor.h>

namespace caffe2rt {

// On a GPU a float32 blob may hold fewer bits: see CompileOptions::precision.
inline c10::ScalarType nominal_type(const at::Tensor& tensor) {
  const c10::ScalarType type = tensor.scalar_type();
  return !tensor.is_cpu() && c10::isReducedFloatingType(type) ? c10::kFloat : type;
}

}  // namespace caffe2rt
