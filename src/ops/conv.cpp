// Conv: Y[n,m,i] = bias[m] + sum over c, k of filter[m,c,k] * X[n, g(m)*C/group + c, i*stride + k*dilation -
// pad], where i and k run over 1 to 3 spatial axes and g(m) is the group of output channel m. Source:
// Caffe2's Conv.
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>

#include "ops/relu.h"
#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Conv final : public Operator {
 public:
  enum Input { kX, kFilter, kBias };

  explicit Conv(const OperatorArgs& args)
      : window_(Window::read(args)),
        group_(args.get("group", std::int64_t{1})),
        relu_(args.get("caffe2rt.relu", false)) {
    require(!window_.global, ErrorCode::kArgument, "expected no argument 'global_pooling'");
    require(group_ >= 1, ErrorCode::kArgument, "argument 'group': expected at least 1, got {}", group_);
  }

  PartialShape shape(PartialShapes in) const {
    const std::int64_t channels = window_.channels(in[kX]), filters = dim_or_unknown(in[kFilter], 0);
    require(channels == kUnknown || (channels > 0 && channels % group_ == 0), ErrorCode::kShape,
            "input 0 'X': expected a number of channels that {} groups divide, got {}", group_, channels);
    require(filters == kUnknown || (filters > 0 && filters % group_ == 0), ErrorCode::kShape,
            "input 1 'filter': expected a number of filters that {} groups divide, got {}", group_, filters);
    require_compatible(
        "input 1 'filter'", in[kFilter],
        window_.shape(filters, channels == kUnknown ? kUnknown : channels / group_, window_.kernel));
    if (in.size() > kBias) require_compatible("input 2 'bias'", in[kBias], {{filters}});
    return window_.output_shape(in[kX], filters);
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, in[kX].options());
      return;
    }
    // The small batches of detection are fastest in channels_last memory, from one end of the trunk to the
    // other.
    at::Tensor x = to_channels_first(in[kX], window_.order);
    const at::Tensor filter = in_channels_last_memory(to_channels_first(in[kFilter], window_.order));
    const auto axes = window_.along(x);
    auto padding = symmetric_padding(window_, x, axes);
    if (!padding) {
      x = pad(x, axes, 0);
      padding.emplace(axes.size(), 0);
    }
    const std::vector<std::int64_t> output_padding(axes.size(), 0);
    const auto bias = in.has(kBias) ? std::optional(in[kBias]) : std::nullopt;
    const at::Tensor y =
        at::convolution(in_channels_last_memory(x), filter, bias, window_.stride, *padding, window_.dilation,
                        /*transposed=*/false, output_padding, group_);
    if (relu_) relu_into(y, y);
    out[0] = from_channels_first(y, window_.order);
  }

 private:
  const Window window_;
  const std::int64_t group_;
  const bool relu_;  // the pass fuse_relu has joined a Relu to it
};

REGISTER_OPERATOR(Conv)
    .says("Convolution over 1 to 3 spatial axes.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC; H,W stand for 1 to 3 axes")
    .input("filter", "(M,C/group,KH,KW) float32, or (M,KH,KW,C/group)")
    .optional_input("bias", "(M) float32")
    .output("Y", "(N,M,OH,OW) float32, or (N,OH,OW,M)", infer::by(&Conv::shape))
    .args(Window::documentation())
    .arg("caffe2rt.relu", "not in files: max(Y, 0) instead of Y; set by the pass fuse_relu");

}  // namespace
}  // namespace caffe2rt
