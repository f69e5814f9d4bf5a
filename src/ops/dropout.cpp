// Dropout: Y = X, for it drops only in training. Source: Caffe2's Dropout with is_test.
#include <ATen/ops/ones.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Dropout final : public Operator {
 public:
  enum Input { kX };
  enum Output { kY, kMask };

  explicit Dropout(const OperatorArgs& args) {
    require(args.get("is_test", false), ErrorCode::kUnsupported,
            "argument 'is_test': expected 1, got 0: a training net");
    const float ratio = args.get("ratio", 0.5F);
    require(ratio >= 0 && ratio < 1, ErrorCode::kArgument, "argument 'ratio': expected 0 to 1, got {}",
            ratio);
  }

  void run(const Inputs& in, Outputs& out) const override {
    out[kY] = in[kX];
    if (out.size() > kMask) out[kMask] = at::ones(in[kX].sizes(), at::kBool);
  }
};

REGISTER_OPERATOR(Dropout)
    .says("Hands its input on.")
    .input("X", "float32 of any shape")
    .output("Y", "shape of X", infer::same_as(Dropout::kX))
    .optional_output("mask", "shape of X, bool: what is kept, which is all", infer::same_as(Dropout::kX))
    .arg("is_test", "has to be 1")
    .arg("ratio", "what training drops, 0 to 1; default 0.5")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
