// caffe2rt.HardSwish: Y[i] = X[i] * max(0, min(1, alpha * X[i] + beta)), what Mul makes of X and its
// HardSigmoid. The pass join_hard_swish makes it. Source: Howard et al., https://arxiv.org/abs/1905.02244.
#include "kernels/hard_swish.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class HardSwishOp final : public Operator {
 public:
  explicit HardSwishOp(const OperatorArgs& args) : f_{args.get("alpha", 0.2F), args.get("beta", 0.5F)} {}

  void run(const Inputs& in, Outputs& out) const override {
    // Element by element as memory lies, whatever its layout.
    const at::Tensor x = in[0].is_non_overlapping_and_dense() ? in[0] : in[0].contiguous();
    out[0] = at::empty_like(x);
    const auto* from = x.const_data_ptr<float>();
    auto* to = out[0].mutable_data_ptr<float>();
    constexpr std::int64_t kGrain = 1 << 15;
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      hard_swish(f_, from + begin, static_cast<size_t>(end - begin), to + begin);
    });
  }

 private:
  const HardSwish f_;
};

REGISTER_OPERATOR_AS("caffe2rt.HardSwish", HardSwishOp)
    .says("X times its HardSigmoid.")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "as HardSigmoid has it, default 0.2")
    .arg("beta", "as HardSigmoid has it, default 0.5");

}  // namespace
}  // namespace caffe2rt
