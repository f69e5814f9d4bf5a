// GroupNorm: Y[n,c,...] = (X[n,c,...] - mean[n,g]) * inv_std[n,g] * gamma[c] + beta[c], where g is the group
// of channel c and inv_std = 1 / sqrt(variance + epsilon) over the group's channels and all positions.
// Source: Caffe2's GroupNorm.
#include <ATen/ops/empty.h>
#include <ATen/ops/native_group_norm.h>

#include <tuple>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class GroupNorm final : public Operator {
 public:
  enum Input { kX, kGamma, kBeta };
  enum Output { kY, kMean, kInvStd };

  explicit GroupNorm(const OperatorArgs& args)
      : groups_(args.get("group", std::int64_t{32})),
        epsilon_(args.get("epsilon", 1e-5F)),
        order_(args.get("order", StorageOrder::kNchw)) {
    require(groups_ >= 1, ErrorCode::kArgument, "argument 'group': expected at least 1, got {}", groups_);
  }

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    std::int64_t channels = kUnknown;
    if (x) {
      require(x->size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
              to_string(x));
      channels = order_ == StorageOrder::kNchw ? (*x)[1] : x->back();
    }
    require(channels == kUnknown || channels % groups_ == 0, ErrorCode::kShape,
            "input 0 'X': expected a number of channels that {} groups divide, got {}", groups_, channels);
    require_compatible("input 1 'gamma'", in[kGamma], {{channels}});
    require_compatible("input 2 'beta'", in[kBeta], {{channels}});
    return x;
  }

  PartialShape statistics_shape(PartialShapes in) const { return {{dim_or_unknown(in[kX], 0), groups_}}; }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    // The kernel wants a dense tensor, with the channels second. The CPU's keeps channels_last memory as it
    // is, a GPU's refuses it.
    at::Tensor x = order_ == StorageOrder::kNchw ? in[kX] : in[kX].movedim(-1, 1);
    x = x.contiguous(x.is_cpu() ? x.suggest_memory_format() : at::MemoryFormat::Contiguous);
    const std::int64_t n = x.size(0), c = x.size(1), positions = n * c == 0 ? 0 : x.numel() / (n * c);
    if (x.numel() == 0) {
      for (auto& statistics : out) statistics = at::empty({n, groups_}, x.options()).zero_();
      out[kY] = in[kX];
      return;
    }
    auto [y, mean, inv_std] =
        at::native_group_norm(x, in[kGamma], in[kBeta], n, c, positions, groups_, epsilon_);
    out[kY] = order_ == StorageOrder::kNchw ? y : y.movedim(1, -1);
    if (out.size() > kMean) out[kMean] = mean;
    if (out.size() > kInvStd) out[kInvStd] = inv_std;
  }

 private:
  const std::int64_t groups_;
  const float epsilon_;
  const StorageOrder order_;
};

REGISTER_OPERATOR(GroupNorm)
    .says(
        "Normalises each image's groups of channels to mean 0 and variance 1, then scales and shifts each "
        "channel.")
    .input("X", "(N,C,...) float32, or (N,...,C) with order NHWC")
    .input("gamma", "(C) float32")
    .input("beta", "(C) float32")
    .output("Y", "shape of X", infer::by(&GroupNorm::shape))
    .optional_output("mean", "(N,group) float32", infer::by(&GroupNorm::statistics_shape))
    .optional_output("inv_std", "(N,group) float32", infer::by(&GroupNorm::statistics_shape))
    .arg("group", "number of groups, default 32")
    .arg("epsilon", "added to the variance, default 1e-5")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
