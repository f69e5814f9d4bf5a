// Gelu: Y[i] = X[i] * P(N <= X[i]) for a normal N; with fast_gelu the usual approximation by tanh.
//
// Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415; source: the original's Gelu.
#include <ATen/ops/gelu.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Gelu final : public Operator {
 public:
  explicit Gelu(const OperatorArgs& args) : fast_(args.get("fast_gelu", false)) {}
  void run(const Inputs& in, Outputs& out) const override {
    out[0] = at::gelu(in[0], fast_ ? "tanh" : "none");
  }

 private:
  const bool fast_;
};

REGISTER_OPERATOR(Gelu)
    .says("X times the probability of a normal variable to be at most X.")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("fast_gelu", "1: 0.5 * X * (1 + tanh(sqrt(2/pi) * (X + 0.044715 * X^3))) instead")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
