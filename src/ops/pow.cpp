// Pow: Y[i] = X[i] to the power of a number, or of exponent[i].
//
// Source: the original's Pow. Its exponents broadcast by the older rule alone (ops/broadcast.h), and are of
// X's shape without it.
#include <ATen/ops/pow.h>

#include "ops/broadcast.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Pow final : public Operator {
 public:
  enum Input { kX, kExponent };

  explicit Pow(const OperatorArgs& args)
      : exponent_(args.get("exponent", 0.0F)), broadcasts_(args.get("broadcast", false)), broadcast_(args) {
    require(args.has("exponent") || args.num_inputs() == 2, ErrorCode::kArgument,
            "expected 'exponent' as an argument or as an input, got neither");
  }

  PartialShape shape(PartialShapes in) const {
    if (in.size() <= kExponent) return in[kX];
    if (broadcasts_) return broadcast_.shape(in[kX], in[kExponent]);
    require_compatible("input 1 'exponent'", in[kExponent], in[kX]);
    return in[kX];
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    out[0] = in.has(kExponent) ? at::pow(in[kX], broadcast_.fit(in[kX], in[kExponent]))
                               : at::pow(in[kX], exponent_);
  }

 private:
  const float exponent_;
  const bool broadcasts_;
  const Broadcast broadcast_;
};

REGISTER_OPERATOR(Pow)
    .says("X to the power of a number, or of another tensor.")
    .input("X", "any shape, float32")
    .optional_input("exponent", "shape of X, or a part of it with broadcast=1; instead of the argument")
    .output("Y", "shape of X", infer::by(&Pow::shape))
    .arg("exponent", "the power")
    .args(Broadcast::documentation())
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
