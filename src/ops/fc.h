// What the fully connected layers of all devices have in common: arguments, checks and the two matrices.
#pragma once

#include "runtime/operator.h"

namespace caffe2rt {

class FcArgs {
 public:
  enum Input { kX, kW, kBias };

  FcArgs(const OperatorArgs& args, bool transposed);

  // Of Y. Throws Error(kShape).
  PartialShape shape(PartialShapes in) const;

  // The factors as views where memory allows, and the shape of Y. Throws Error(kShape).
  struct Factors {
    at::Tensor x, w;  // (M,K), (K,N)
    std::vector<std::int64_t> y_shape;
  };
  Factors factors(const Inputs& in) const;

  bool relu() const { return relu_; }

 private:
  const std::int64_t axis_, axis_w_;
  const bool transposed_;
  const bool channels_last_;  // the pass flatten_channels_last has taken a Flatten away
  const bool relu_;           // the pass fuse_relu has joined a Relu to it
};

}  // namespace caffe2rt
