// What the transposed convolutions of all devices have in common: arguments, checks and the shape of Y.
#pragma once

#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {

class ConvTransposeArgs {
 public:
  enum Input { kX, kFilter, kBias };
  static constexpr size_t kAxes = 2;

  explicit ConvTransposeArgs(const OperatorArgs& args);

  // Of Y. Throws Error(kShape).
  PartialShape shape(PartialShapes in) const;

  // The sum of products and the bias, where there is one, by ATen. x, filter: channels first, in
  // channels_last memory. Returns (N,M,OH,OW).
  at::Tensor convolve(const at::Tensor& x, const at::Tensor& filter,
                      const std::optional<at::Tensor>& bias) const;

  const Window window;
  const std::int64_t group;
  const std::vector<std::int64_t> adj;
  const bool relu;  // the pass fuse_relu has joined a Relu to it

 private:
  std::int64_t output_size(size_t axis, std::int64_t size) const;
};

}  // namespace caffe2rt
