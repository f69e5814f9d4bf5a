// GroupNorm: Y[n,c,...] = (X[n,c,...] - mean[n,g]) * inv_std[n,g] * gamma[c] + beta[c], where g is the group
// of channel c and inv_std = 1 / sqrt(variance + epsilon) over the group's channels and all positions.
// Source: Caffe2's GroupNorm.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_group_norm.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "kernels/channel_moments.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// One image, (positions,channels) float32, on the CPU.
class Image {
 public:
  Image(const float* x, std::int64_t positions, std::int64_t channels)
      : x_(x), positions_(positions), channels_(channels), sums_(channels), squares_(channels) {
    sum();
  }

  // Writes the mean and 1 / sqrt(variance + epsilon) of each group.
  void statistics(std::int64_t groups, float epsilon, float* mean, float* inv_std) const {
    const std::int64_t width = channels_ / groups;
    const auto count = static_cast<double>(positions_);
    for (std::int64_t g = 0; g < groups; g++) {
      const auto channel_mean = [&](std::int64_t c) { return x_[c] + sums_[c] / count; };
      double whole = 0, spread = 0;
      for (std::int64_t c = g * width; c < (g + 1) * width; c++) whole += channel_mean(c);
      whole /= static_cast<double>(width);
      for (std::int64_t c = g * width; c < (g + 1) * width; c++) {
        const double apart = channel_mean(c) - whole;
        spread += squares_[c] - sums_[c] * sums_[c] / count + apart * apart * count;
      }
      mean[g] = static_cast<float>(whole);
      inv_std[g] = static_cast<float>(1 / std::sqrt(spread / (count * static_cast<double>(width)) + epsilon));
    }
  }

  // y = x * scale[c] + offset[c], and max(y, 0) with relu.
  void write(const std::vector<float>& scale, const std::vector<float>& offset, bool relu, float* y) const {
    at::parallel_for(0, positions_, kGrain, [&](std::int64_t first, std::int64_t last) {
      scale_channels(x_ + first * channels_, last - first, channels_, scale.data(), offset.data(), relu,
                     y + first * channels_);
    });
  }

 private:
  static constexpr std::int64_t kGrain = 256;  // positions; few enough for sums in float32

  // The sums of each channel less its first value.
  void sum() {
    const std::int64_t parts = (positions_ + kGrain - 1) / kGrain;
    std::vector<float> partial(2 * channels_ * parts);
    at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; i++)
        add_moments(x_ + i * kGrain * channels_, std::min(kGrain, positions_ - i * kGrain), channels_, x_,
                    &partial[2 * i * channels_], &partial[(2 * i + 1) * channels_]);
    });
    for (std::int64_t i = 0; i < parts; i++)
      for (std::int64_t c = 0; c < channels_; c++) {
        sums_[c] += partial[2 * i * channels_ + c];
        squares_[c] += partial[(2 * i + 1) * channels_ + c];
      }
  }

  const float* x_;
  const std::int64_t positions_, channels_;
  std::vector<double> sums_, squares_;  // by channel
};

class GroupNorm final : public Operator {
 public:
  enum Input { kX, kGamma, kBeta };
  enum Output { kY, kMean, kInvStd };

  explicit GroupNorm(const OperatorArgs& args)
      : groups_(args.get("group", std::int64_t{32})),
        epsilon_(args.get("epsilon", 1e-5F)),
        relu_(args.get("caffe2rt.relu", false)),
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
    // ATen's kernel wants a dense tensor, with the channels second.
    at::Tensor x = order_ == StorageOrder::kNchw ? in[kX] : in[kX].movedim(-1, 1);
    const bool by_pixel =
        x.is_cpu() && x.dim() == 4 && x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
    x = x.contiguous(by_pixel ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
    const std::int64_t n = x.size(0), c = x.size(1), positions = n * c == 0 ? 0 : x.numel() / (n * c);
    if (x.numel() == 0) {
      for (auto& statistics : out) statistics = at::empty({n, groups_}, x.options()).zero_();
      out[kY] = in[kX];
      return;
    }
    auto [y, mean, inv_std] =
        by_pixel ? normalise(x, in)
                 : at::native_group_norm(x, in[kGamma], in[kBeta], n, c, positions, groups_, epsilon_);
    if (relu_ && !by_pixel) y = at::where(y > 0, y, at::Scalar(0.0F));
    out[kY] = order_ == StorageOrder::kNchw ? y : y.movedim(1, -1);
    if (out.size() > kMean) out[kMean] = mean;
    if (out.size() > kInvStd) out[kInvStd] = inv_std;
  }

 private:
  // Of channels_last memory: Y, mean and inv_std.
  std::tuple<at::Tensor, at::Tensor, at::Tensor> normalise(const at::Tensor& x, const Inputs& in) const {
    const std::int64_t n = x.size(0), c = x.size(1), positions = x.size(2) * x.size(3);
    at::Tensor y = at::empty_like(x), mean = at::empty({n, groups_}, x.options()),
               inv_std = at::empty_like(mean);
    const at::Tensor gamma = in[kGamma].contiguous(), beta = in[kBeta].contiguous();
    const auto *gammas = gamma.const_data_ptr<float>(), *betas = beta.const_data_ptr<float>();
    std::vector<float> scale(c), offset(c);
    for (std::int64_t i = 0; i < n; i++) {
      auto* means = mean.mutable_data_ptr<float>() + i * groups_;
      auto* inv_stds = inv_std.mutable_data_ptr<float>() + i * groups_;
      const Image image(x.const_data_ptr<float>() + i * positions * c, positions, c);
      image.statistics(groups_, epsilon_, means, inv_stds);
      for (std::int64_t k = 0; k < c; k++) {
        const std::int64_t g = k / (c / groups_);
        scale[k] = gammas[k] * inv_stds[g];
        offset[k] = betas[k] - scale[k] * means[g];
      }
      image.write(scale, offset, relu_, y.mutable_data_ptr<float>() + i * positions * c);
    }
    return {y, mean, inv_std};
  }

  const std::int64_t groups_;
  const float epsilon_;
  const bool relu_;
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
    .arg("caffe2rt.relu", "not in files: max(Y, 0) instead of Y; set by the pass fuse_relu")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
