// Relu: Y[i] = max(X[i], 0), and 0 where X[i] is not a number.
//
// Source: the original's functor, whose vector code makes 0 of NaN: what a region of no width becomes in
// RoIAlign (NaN) ends there, and the mask head's result for it is a number.
#include "ops/relu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "runtime/operator.h"

namespace caffe2rt {

void relu_into(const at::Tensor& from_tensor, const at::Tensor& to_tensor) {
  const auto* from = from_tensor.const_data_ptr<float>();
  auto* to = to_tensor.mutable_data_ptr<float>();
  constexpr std::int64_t kGrain = 1 << 15;
  at::parallel_for(0, from_tensor.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i++) to[i] = from[i] > 0 ? from[i] : 0;
  });
}

namespace {

class Relu final : public Operator {
 public:
  explicit Relu(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    // Element by element as memory lies, whatever its layout.
    const at::Tensor x = in[0].is_non_overlapping_and_dense() ? in[0] : in[0].contiguous();
    out[0] = at::empty_like(x);
    relu_into(x, out[0]);
  }
};

REGISTER_OPERATOR(Relu)
    .says("max(X, 0)")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0));

}  // namespace
}  // namespace caffe2rt
