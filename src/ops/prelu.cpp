// PRelu: Y[n,c,...] = X[n,c,...] where that is positive, else X[n,c,...] * slope[c]. Source: Caffe2's PRelu.
#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class PRelu final : public Operator {
 public:
  enum Input { kX, kSlope };

  explicit PRelu(const OperatorArgs& args) : order_(args.get("order", StorageOrder::kNchw)) {}

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    if (!x) return x;
    require(x->size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
            to_string(x));
    if (in[kSlope] != PartialShape(std::vector<std::int64_t>{1}))
      require_compatible("input 1 'slope'", in[kSlope],
                         {{order_ == StorageOrder::kNchw ? (*x)[1] : x->back()}});
    return x;
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    const at::Tensor& x = in[kX];
    std::vector<std::int64_t> per_channel(x.dim(), 1);
    per_channel[order_ == StorageOrder::kNchw ? 1 : x.dim() - 1] = in[kSlope].size(0);
    out[0] = at::where(x > 0, x, x * in[kSlope].view(per_channel));
  }

 private:
  const StorageOrder order_;
};

REGISTER_OPERATOR(PRelu)
    .says("Hands positive elements on and scales the others by their channel's slope.")
    .input("X", "(N,C,...) float32, or (N,...,C) with order NHWC")
    .input("slope", "(C) or (1) float32")
    .output("Y", "shape of X", infer::by(&PRelu::shape))
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
