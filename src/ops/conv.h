// What the plain convolution and those with packed weights have in common: arguments, checks, output shape
// and what follows the sum of products.
#pragma once

#include "kernels/hard_swish.h"
#include "ops/activation.h"
#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {

class ConvArgs {
 public:
  enum Input { kX, kFilter, kBias, kResidual };

  explicit ConvArgs(const OperatorArgs& args);

  // Of Y; `filter` is (M,C/group,KH,KW), or (M,KH,KW,C/group) with order NHWC. Throws Error(kShape).
  PartialShape shape(const PartialShape& x, const PartialShape& filter, const PartialShape& bias,
                     const PartialShape& residual) const;
  PartialShape shape_of_inputs(PartialShapes in) const;

  // What follows the sum of products and the bias: the residual, where there is one, and the activation. Owns
  // y, which is float32.
  at::Tensor finish(at::Tensor y, const at::Tensor* residual, const ActivationFormat& of_residual = {}) const;

  static const std::vector<Schema::Arg>& documentation();

  const Window window;
  const std::int64_t group;
  const bool relu;             // the pass fuse_relu has joined a Relu to it
  const HardSwish hard_swish;  // the pass fuse_hard_swish has joined one to it
  const bool of_sum;           // the residual is a Sum's, which knows no broadcasting
  const bool in_place;         // the pass reuse_residuals has found nothing else that needs the residual
};

// The shapes of a convolution's inputs up to the bias: those that the shape of y comes from.
std::vector<PartialShape> shapes_without_residual(const Inputs& in);

// A convolution's residual; null where there is none.
inline const at::Tensor* residual_of(const Inputs& in, size_t i = ConvArgs::kResidual) {
  return in.has(i) ? &in[i] : nullptr;
}

// A residual that a kernel adds while it writes y: one of y's shape. Another is left to ConvArgs::finish.
struct Residual {
  // `scale`: 2 for one of half y's height and width, which has to fit. Throws Error(kShape).
  Residual(const at::Tensor* given, std::span<const std::int64_t> y_shape, int scale = 1);
  Source source(const ActivationFormat& format) const {
    return tensor.defined() ? format.source(tensor) : Source();
  }

  // Memory for y, which may be the residual's if `in_place`, where there is one to add.
  at::Tensor room_for(at::IntArrayRef y_shape, const ActivationFormat& y_format, bool in_place) const {
    return in_place && tensor.defined() ? tensor : y_format.empty(y_shape);
  }

  at::Tensor tensor;     // in channels_last memory, or none
  bool complete = true;  // nothing is left to add
};

}  // namespace caffe2rt
