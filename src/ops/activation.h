// Activations: what layers hand each other, (N,C,H,W) in channels_last memory, in any of the formats of
// kernels/encoding.h. float32 is a tensor of kFloat, bfloat16 one of kBFloat16; 8 bit numbers are one of
// kByte, and those who read it know what they stand for.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/encoding.h"
#include "runtime/operator_args.h"
#include "runtime/schema.h"

namespace caffe2rt {

// The format of one of an operator's activations, which the pass narrow_activations chooses. Its arguments
// begin with `name`: "caffe2rt.x", "caffe2rt.residual" or "caffe2rt.y".
class ActivationFormat {
 public:
  ActivationFormat() = default;  // float32
  // Reads what set() wrote; float32 where that is nothing. Throws Error(kArgument).
  ActivationFormat(const OperatorArgs& args, const std::string& name);
  static void set(OperatorDef& def, const std::string& name, const Encoding& encoding);
  static std::vector<Schema::Arg> documentation(const std::string& name);

  // Memory that is not written yet.
  at::Tensor empty(at::IntArrayRef shape) const;
  // A tensor's memory as kernels read and write it. Throws Error(kType) where it is in another format.
  Source source(const at::Tensor& activation) const;
  Target target(at::Tensor& activation) const;

  at::Tensor to_floats(const at::Tensor& activation) const;
  at::Tensor from_floats(const at::Tensor& floats) const;

  bool operator==(const ActivationFormat&) const = default;

 private:
  at::ScalarType type() const;

  Encoding encoding_;
};

}  // namespace caffe2rt
