// Winograd's convolution as the operators that are made of it share it: what their packed weights are made
// for, and a run on the threads of the tensor library.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/winograd.h"
#include "ops/conv.h"
#include "runtime/operator_args.h"
#include "runtime/schema.h"

namespace caffe2rt {

class WinogradKernel {
 public:
  // Throws Error(kArgument).
  explicit WinogradKernel(const OperatorArgs& args);
  static const std::vector<Schema::Arg>& documentation();

  // Whether images may be computed twice.
  bool joined() const { return joined_; }

  // Of the convolution's result. Throws Error(kShape).
  PartialShape shape(const ConvArgs& args, const PartialShape& x, const PartialShape& bias,
                     const PartialShape& residual) const;

  // Computes `y` of x (N,C,H,W), which `problem.x` reads. `problem` has what follows the products: bias,
  // residual, relu, pointwise, y; `packed` is the filter.
  void run(const at::Tensor& x, const at::Tensor& packed, winograd::Problem problem) const;

 private:
  at::Tensor make_matrices(const void* packed) const;

  const winograd::Weights weights_;
  const int pad_;
  const bool joined_;
};

}  // namespace caffe2rt
