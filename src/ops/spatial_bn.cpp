// SpatialBN: Y[n,c,...] = (X[n,c,...] - mean[c]) / sqrt(var[c] + epsilon) * scale[c] + bias[c].
//
// Batch normalisation with the statistics of training (is_test). Source: Caffe2's SpatialBN.
#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class SpatialBn final : public Operator {
 public:
  enum Input { kX, kScale, kBias, kMean, kVariance };

  explicit SpatialBn(const OperatorArgs& args)
      : epsilon_(args.get("epsilon", 1e-5F)), order_(args.get("order", StorageOrder::kNchw)) {
    require(args.get("is_test", false), ErrorCode::kUnsupported,
            "argument 'is_test': expected 1, got 0: a training net");
    require(epsilon_ >= 0, ErrorCode::kArgument, "argument 'epsilon': expected at least 0, got {}", epsilon_);
  }

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    if (!x) return x;
    require(x->size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
            to_string(x));
    const std::vector<std::int64_t> per_channel = {order_ == StorageOrder::kNchw ? (*x)[1] : x->back()};
    require_compatible("input 1 'scale'", in[kScale], per_channel);
    require_compatible("input 2 'bias'", in[kBias], per_channel);
    require_compatible("input 3 'mean'", in[kMean], per_channel);
    require_compatible("input 4 'var'", in[kVariance], per_channel);
    return x;
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    std::vector<std::int64_t> per_channel(in[kX].dim(), 1);
    per_channel[order_ == StorageOrder::kNchw ? 1 : in[kX].dim() - 1] = in[kScale].size(0);
    const at::Tensor factor = in[kScale] * (in[kVariance] + epsilon_).rsqrt();
    const at::Tensor shift = in[kBias] - in[kMean] * factor;
    out[0] = at::addcmul(shift.view(per_channel), in[kX], factor.view(per_channel));
  }

 private:
  const float epsilon_;
  const StorageOrder order_;
};

REGISTER_OPERATOR_AS("SpatialBN", SpatialBn)
    .says("Batch normalisation, with the statistics of training.")
    .input("X", "(N,C,...) float32, or (N,...,C) with order NHWC")
    .input("scale", "(C) float32")
    .input("bias", "(C) float32")
    .input("mean", "(C) float32")
    .input("var", "(C) float32")
    .output("Y", "shape of X", infer::by(&SpatialBn::shape))
    .arg("is_test", "has to be 1")
    .arg("epsilon", "added to var, default 1e-5")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
