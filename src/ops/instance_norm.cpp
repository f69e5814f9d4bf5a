// InstanceNorm: Y[n,c,...] = (X[n,c,...] - mean[n,c]) * inv_std[n,c] * scale[c] + bias[c], where inv_std =
// 1 / sqrt(variance + epsilon) over all positions of a channel of an image.
//
// Ulyanov, Vedaldi and Lempitsky, https://arxiv.org/abs/1607.08022; source: the original's InstanceNorm.
#include <ATen/ops/native_group_norm.h>
#include <ATen/ops/zeros.h>

#include <tuple>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class InstanceNorm final : public Operator {
 public:
  enum Input { kX, kScale, kBias };
  enum Output { kY, kMean, kInvStd };

  explicit InstanceNorm(const OperatorArgs& args)
      : epsilon_(args.get("epsilon", 1e-5F)), order_(args.get("order", StorageOrder::kNchw)) {
    require(epsilon_ >= 0, ErrorCode::kArgument, "argument 'epsilon': expected 0 or more, got {}", epsilon_);
  }

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    require(!x || x->size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
            to_string(x));
    require_compatible("input 1 'scale'", in[kScale], {{channels(x)}});
    require_compatible("input 2 'bias'", in[kBias], {{channels(x)}});
    return x;
  }

  PartialShape statistics_shape(PartialShapes in) const {
    return {{dim_or_unknown(in[kX], 0), channels(in[kX])}};
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    // The kernel wants a dense tensor, with the channels second. The CPU's keeps channels_last memory as it
    // is, a GPU's refuses it.
    at::Tensor x = order_ == StorageOrder::kNchw ? in[kX] : in[kX].movedim(-1, 1);
    x = x.contiguous(x.is_cpu() ? x.suggest_memory_format() : at::MemoryFormat::Contiguous);
    const std::int64_t n = x.size(0), c = x.size(1);
    if (x.numel() == 0) {
      for (auto& statistics : out) statistics = at::zeros({n, c}, x.options());
      out[kY] = in[kX];
      return;
    }
    const auto [y, mean, inv_std] =
        at::native_group_norm(x, in[kScale], in[kBias], n, c, x.numel() / (n * c), c, epsilon_);
    out[kY] = order_ == StorageOrder::kNchw ? y : y.movedim(1, -1);
    if (out.size() > kMean) out[kMean] = mean;
    if (out.size() > kInvStd) out[kInvStd] = inv_std;
  }

 private:
  std::int64_t channels(const PartialShape& x) const {
    if (!x || x->size() < 2) return kUnknown;
    return order_ == StorageOrder::kNchw ? (*x)[1] : x->back();
  }

  const float epsilon_;
  const StorageOrder order_;
};

REGISTER_OPERATOR(InstanceNorm)
    .says("Normalises each image's channels to mean 0 and variance 1, then scales and shifts them.")
    .input("X", "(N,C,...) float32, or (N,...,C) with order NHWC")
    .input("scale", "(C) float32")
    .input("bias", "(C) float32")
    .output("Y", "shape of X", infer::by(&InstanceNorm::shape))
    .optional_output("mean", "(N,C) float32", infer::by(&InstanceNorm::statistics_shape))
    .optional_output("inv_std", "(N,C) float32", infer::by(&InstanceNorm::statistics_shape))
    .arg("epsilon", "added to the variance, default 1e-5")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
