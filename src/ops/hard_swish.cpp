// caffe2rt.HardSwish: Y[i] = X[i] * max(0, min(1, alpha * X[i] + beta)), what Mul makes of X and its
// HardSigmoid. The pass join_hard_swish makes it. Source: Howard et al., https://arxiv.org/abs/1905.02244.
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "base/vector_clones.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

CAFFE2RT_VECTOR_CLONES
void hard_swish(const float* __restrict from, float* __restrict to, std::int64_t count, float alpha,
                float beta) {
  for (std::int64_t i = 0; i < count; i++) {
    const float gate = alpha * from[i] + beta;
    to[i] = from[i] * std::max(0.0F, std::min(1.0F, gate));
  }
}

class HardSwish final : public Operator {
 public:
  explicit HardSwish(const OperatorArgs& args)
      : alpha_(args.get("alpha", 0.2F)), beta_(args.get("beta", 0.5F)) {}

  void run(const Inputs& in, Outputs& out) const override {
    // Element by element as memory lies, whatever its layout.
    const at::Tensor x = in[0].is_non_overlapping_and_dense() ? in[0] : in[0].contiguous();
    out[0] = at::empty_like(x);
    const auto* from = x.const_data_ptr<float>();
    auto* to = out[0].mutable_data_ptr<float>();
    constexpr std::int64_t kGrain = 1 << 15;
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      hard_swish(from + begin, to + begin, end - begin, alpha_, beta_);
    });
  }

 private:
  const float alpha_, beta_;
};

REGISTER_OPERATOR_AS("caffe2rt.HardSwish", HardSwish)
    .says("X times its HardSigmoid.")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "as HardSigmoid has it, default 0.2")
    .arg("beta", "as HardSigmoid has it, default 0.5");

}  // namespace
}  // namespace caffe2rt
