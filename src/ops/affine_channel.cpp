// AffineChannel: Y[n,c,h,w] = X[n,c,h,w] * scale[c] + bias[c].
//
// What frozen batch normalisation becomes in a NetDef. Passes fold it into the convolution before it
// (graph/passes/fold_affine.cpp); this kernel runs where there is none.
#include <ATen/ops/addcmul.h>

#include <array>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class AffineChannel final : public Operator {
 public:
  enum Input { kX, kScale, kBias };

  explicit AffineChannel(const OperatorArgs& args)
      : channel_(args.get("order", StorageOrder::kNchw) == StorageOrder::kNchw ? 1 : 3) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    require_rank(in, kX, 4);
    const int64_t channels = x.size(channel_);
    require_shape(in, kScale, {channels});
    require_shape(in, kBias, {channels});

    std::array<int64_t, 4> per_channel = {1, 1, 1, 1};
    per_channel[channel_] = channels;
    out[0] = at::addcmul(in[kBias].view(per_channel), x, in[kScale].view(per_channel));
  }

 private:
  const int64_t channel_;  // axis of X that scale and bias belong to
};

REGISTER_OPERATOR(AffineChannel)
    .says("Scales and shifts each channel.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
    .input("scale", "(C) float32")
    .input("bias", "(C) float32")
    .output("Y", "shape of X", infer::same_as(AffineChannel::kX))
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
