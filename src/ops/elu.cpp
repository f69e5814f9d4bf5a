// Elu: Y[i] = X[i] where that is positive, else alpha * (exp(X[i]) - 1). Selu: scale times the same.
//
// Source: the original's Elu and Selu.
#include <ATen/ops/elu.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Elu final : public Operator {
 public:
  explicit Elu(const OperatorArgs& args) : alpha_(args.get("alpha", 1.0F)) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = at::elu(in[0], alpha_); }

 private:
  const float alpha_;
};

class Selu final : public Operator {
 public:
  explicit Selu(const OperatorArgs& args)
      : alpha_(args.get("alpha", 1.6732632423543772F)), scale_(args.get("scale", 1.0507009873554804F)) {
    require(scale_ > 1, ErrorCode::kArgument, "argument 'scale': expected more than 1, got {}", scale_);
  }
  void run(const Inputs& in, Outputs& out) const override { out[0] = at::elu(in[0], alpha_, scale_); }

 private:
  const float alpha_, scale_;
};

REGISTER_OPERATOR(Elu)
    .says("X where it is positive, else alpha * (exp(X) - 1)")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "default 1")
    .runs_on_any_device();

REGISTER_OPERATOR(Selu)
    .says("scale * X where X is positive, else scale * alpha * (exp(X) - 1)")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "default 1.673263")
    .arg("scale", "default 1.050701")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
