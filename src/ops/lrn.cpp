// LRN: Y[n,c,h,w] = X[n,c,h,w] / (bias + alpha/size * sum of X[n,j,h,w]^2 over j in [c - (size-1)/2, c -
// (size-1)/2 + size) that are channels)^beta. Source: Caffe2's LRN (local response normalisation across
// channels).
#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/pow.h>

#include <algorithm>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Lrn final : public Operator {
 public:
  enum Input { kX };
  enum Output { kY, kScale };

  explicit Lrn(const OperatorArgs& args)
      : size_(args.get("size", std::int64_t{0})),
        alpha_(args.get("alpha", 0.0F)),
        beta_(args.get("beta", 0.0F)),
        bias_(args.get("bias", 1.0F)),
        channel_(args.get("order", StorageOrder::kNchw) == StorageOrder::kNchw ? 1 : 3) {
    require(size_ >= 1, ErrorCode::kArgument, "argument 'size': expected at least 1, got {}", size_);
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    const at::Tensor& x = in[kX];
    // Channels past either end are zeros; no window needs more of them than there are channels.
    const std::int64_t channels = x.size(channel_), wanted = (size_ - 1) / 2,
                       before = std::min(wanted, channels);
    const std::int64_t count = std::min(size_ - (wanted - before), before + channels);
    std::vector<std::int64_t> padding(2 * (4 - channel_), 0);  // from the last axis
    padding.end()[-2] = before;
    padding.end()[-1] = count;
    const at::Tensor squares = at::constant_pad_nd(x * x, padding);
    at::Tensor sum = squares.narrow(channel_, 0, channels).clone();
    for (std::int64_t j = 1; j < count; j++) sum.add_(squares.narrow(channel_, j, channels));
    const at::Tensor scale = sum.mul_(alpha_ / static_cast<float>(size_)).add_(bias_);
    out[kY] = x * at::pow(scale, -beta_);
    if (out.size() > kScale) out[kScale] = scale;
  }

 private:
  const std::int64_t size_;
  const float alpha_, beta_, bias_;
  const std::int64_t channel_;  // axis
};

REGISTER_OPERATOR_AS("LRN", Lrn)
    .says("Divides each element by what its neighbours among the channels amount to.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
    .output("Y", "shape of X", infer::same_as(Lrn::kX))
    .optional_output("scale", "shape of X: what is raised to beta", infer::same_as(Lrn::kX))
    .arg("size", "number of channels that count, at least 1")
    .arg("alpha", "default 0")
    .arg("beta", "default 0")
    .arg("bias", "default 1")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
