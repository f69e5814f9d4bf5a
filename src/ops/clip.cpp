// Clip: Y[i] = min(max(X[i], min), max). HardSigmoid: Y[i] = max(min(alpha * X[i] + beta, 1), 0).
//
// Source: the original's functors, whose vector code makes a number of NaN: the lower end in Clip, 1 in
// HardSigmoid.
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <limits>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

template <class F>
at::Tensor map(const at::Tensor& any, F f) {
  // Element by element as memory lies, whatever its layout.
  const at::Tensor x = any.is_non_overlapping_and_dense() ? any : any.contiguous();
  at::Tensor y = at::empty_like(x);
  const auto* from = x.const_data_ptr<float>();
  auto* to = y.mutable_data_ptr<float>();
  constexpr std::int64_t kGrain = 1 << 15;
  at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i++) to[i] = f(from[i]);
  });
  return y;
}

class Clip final : public Operator {
 public:
  explicit Clip(const OperatorArgs& args)
      : min_(args.get("min", std::numeric_limits<float>::lowest())),
        max_(args.get("max", std::numeric_limits<float>::max())) {}

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = map(in[0], [min = min_, max = max_](float x) {
      const float at_least = x > min ? x : min;
      return at_least < max ? at_least : max;
    });
  }

 private:
  const float min_, max_;
};

class HardSigmoid final : public Operator {
 public:
  explicit HardSigmoid(const OperatorArgs& args)
      : alpha_(args.get("alpha", 0.2F)), beta_(args.get("beta", 0.5F)) {}

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = map(in[0], [alpha = alpha_, beta = beta_](float x) {
      const float line = alpha * x + beta;
      const float at_most = line < 1 ? line : 1;
      return at_most > 0 ? at_most : 0;
    });
  }

 private:
  const float alpha_, beta_;
};

REGISTER_OPERATOR(Clip)
    .says("X cut off at both ends of a range.")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("min", "lower end, default the least float32; the upper one wins where it is below")
    .arg("max", "upper end, default the largest float32");

REGISTER_OPERATOR(HardSigmoid)
    .says("alpha * X + beta, cut off at 0 and 1.")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "slope, default 0.2")
    .arg("beta", "value at 0, default 0.5");

}  // namespace
}  // namespace caffe2rt
