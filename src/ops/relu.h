// max(x, 0) on memory, for Relu and for operators that end with it.
#pragma once

#include <ATen/core/Tensor.h>

namespace caffe2rt {

// Writes max(from[i], 0) to to[i], and 0 where from[i] is not a number. Both are float32 and dense, of the
// same shape and strides; they may be the same tensor.
void relu_into(const at::Tensor& from, const at::Tensor& to);

}  // namespace caffe2rt
