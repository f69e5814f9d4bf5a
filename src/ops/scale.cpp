// Scale: Y[i] = X[i] * scale. Source: the original's Scale.
#include <ATen/ops/mul.h>

#include "ops/types.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Scale final : public Operator {
 public:
  explicit Scale(const OperatorArgs& args) : scale_(args.get("scale", 1.0F)) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = at::mul(in[0], scale_); }

 private:
  const float scale_;
};

REGISTER_OPERATOR(Scale)
    .says("X times a number.")
    .input("X", "any shape, float32 or float64", Types::kFloat | Types::kDouble)
    .output("Y", "shape and type of X", infer::same_as(0))
    .arg("scale", "the number, default 1")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
