// Softmax: Y[m,d] = exp(X[m,d]) / sum over j of exp(X[m,j]), where the axes of X before `axis` are m and all
// others are d. Source: Caffe2's Softmax.
#include <ATen/ops/softmax.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Softmax final : public Operator {
 public:
  enum Input { kX };

  explicit Softmax(const OperatorArgs& args) : axis_(args.get("axis", std::int64_t{1})) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    require(axis_ < x.dim() && axis_ >= -x.dim(), ErrorCode::kShape, "{}: expected an axis {}, got {}",
            in.describe(kX), axis_, to_string(PartialShape(x.sizes().vec())));
    const std::int64_t first = axis_ < 0 ? axis_ + x.dim() : axis_;
    if (x.numel() == 0)
      out[0] = x;
    else
      out[0] = at::softmax(x.flatten(first), first).view(x.sizes());
  }

 private:
  const std::int64_t axis_;
};

REGISTER_OPERATOR(Softmax)
    .says("Makes each row positive with sum 1.")
    .input("X", "(M...,D...) float32")
    .output("Y", "shape of X", infer::same_as(Softmax::kX))
    .arg("axis", "first axis that belongs to D, from the end where negative; default 1")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
