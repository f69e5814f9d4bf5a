// Bias: an optional input of a number a filter, for kernels that read it through a pointer.
#pragma once

#include <ATen/core/Tensor.h>

#include "runtime/operator.h"

namespace caffe2rt {

class Bias {
 public:
  Bias(const Inputs& in, size_t input) {
    if (in.has(input)) values_ = in[input].contiguous();  // it may be a column of something
  }

  // (M) float32, valid while this lives; null where there is none.
  const float* data() const { return values_.defined() ? values_.const_data_ptr<float>() : nullptr; }

 private:
  at::Tensor values_;
};

}  // namespace caffe2rt
