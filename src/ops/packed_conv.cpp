// caffe2rt.PackedConv: Conv whose filter oneDNN has packed before the first run, with what follows it in the
// same pass over memory. The pass pack_weights makes it.
#include <ATen/ops/empty.h>

#include "ops/conv.h"
#include "ops/relu.h"
#include "runtime/fused_kernels.h"

namespace caffe2rt {
namespace {

class PackedConv final : public Operator {
 public:
  explicit PackedConv(const OperatorArgs& args) : args_(args) {}

  PartialShape shape(PartialShapes in) const { return args_.shape_of_inputs(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const Window& window = args_.window;
    const auto y_shape = *shape(shapes_without_residual(in));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, in[ConvArgs::kX].options());
      return;
    }
    at::Tensor x = in_channels_last_memory(in[ConvArgs::kX]);
    const auto axes = window.along(x);
    auto padding = symmetric_padding(window, x, axes);
    if (!padding) {
      x = in_channels_last_memory(pad(x, axes, 0));
      padding.emplace(axes.size(), 0);
    }
    const at::Tensor& filter = in[ConvArgs::kFilter];
    const auto bias = in.has(ConvArgs::kBias) ? std::optional(in[ConvArgs::kBias]) : std::nullopt;
    if (in.has(ConvArgs::kResidual) && in[ConvArgs::kResidual].sizes() == y_shape) {
      at::Tensor y = fused::convolution_add()(
          x, in_channels_last_memory(in[ConvArgs::kResidual]), filter, bias, *padding, window.stride,
          window.dilation, args_.group, "add", at::Scalar(1.0), std::nullopt, fused::Scalars(), std::nullopt);
      if (args_.relu) relu_into(y, y);  // oneDNN's keeps what is not a number
      out[0] = y;
      return;
    }
    const bool finished = !in.has(ConvArgs::kResidual);
    const at::Tensor y =
        fused::convolution()(x, filter, bias, *padding, window.stride, window.dilation, args_.group,
                             finished ? activation() : "none", fused::Scalars(), "");
    out[0] = finished ? y : args_.finish(y, residual_of(in));
  }

 private:
  const char* activation() const {
    if (args_.hard_swish) return "hardswish";
    return args_.relu ? "relu" : "none";
  }

  const ConvArgs args_;
};

REGISTER_OPERATOR_AS("caffe2rt.PackedConv", PackedConv)
    .says("Convolution over 2 spatial axes with weights in oneDNN's layout.")
    .input("X", "(N,C,H,W) float32")
    .input("filter", "(M,C/group,KH,KW) float32 in oneDNN's layout")
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "float32, added to Y as Add does it")
    .output("Y", "(N,M,OH,OW) float32", infer::by(&PackedConv::shape))
    .args(ConvArgs::documentation());

}  // namespace
}  // namespace caffe2rt
