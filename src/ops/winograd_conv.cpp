// caffe2rt.WinogradConv: Conv with a 3x3 window of stride 1, by kernels/winograd.h. The pass use_winograd
// makes it.
#include "ops/bias.h"
#include "ops/conv.h"
#include "ops/types.h"
#include "ops/winograd_kernel.h"

namespace caffe2rt {
namespace {

class WinogradConv final : public Operator {
 public:
  explicit WinogradConv(const OperatorArgs& args)
      : args_(args),
        kernel_(args),
        x_format_(args, "caffe2rt.x"),
        residual_format_(args, "caffe2rt.residual"),
        y_format_(args, "caffe2rt.y") {}

  PartialShape shape(PartialShapes in) const {
    const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
    return kernel_.shape(args_, in[ConvArgs::kX], given(ConvArgs::kBias), given(ConvArgs::kResidual));
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_without_residual(in));
    if (element_count(y_shape) == 0) {
      out[0] = y_format_.empty(y_shape);
      return;
    }
    const at::Tensor x = in_channels_last_memory(in[ConvArgs::kX]);
    const Residual residual(residual_of(in), y_shape);
    const ActivationFormat format = residual.complete ? y_format_ : ActivationFormat();
    at::Tensor y = residual.room_for(y_shape, format, args_.in_place && !kernel_.joined());
    const Bias bias(in, ConvArgs::kBias);
    kernel_.run(x, in[ConvArgs::kFilter],
                {.x = x_format_.source(x),
                 .bias = bias.data(),
                 .residual = residual.source(residual_format_),
                 .relu = args_.relu && residual.complete,
                 .y = format.target(y)});
    out[0] =
        residual.complete ? y : y_format_.from_floats(args_.finish(y, residual_of(in), residual_format_));
  }

 private:
  const ConvArgs args_;
  const WinogradKernel kernel_;
  const ActivationFormat x_format_, residual_format_, y_format_;
};

REGISTER_OPERATOR_AS("caffe2rt.WinogradConv", WinogradConv)
    .says("Convolution with a 3x3 window of stride 1, with a quarter or a fifth of the multiplications.")
    .input("X", "(N,C,H,W); see caffe2rt.x_format", Types::kActivation)
    .input("filter", "packed weights, winograd::packed_size bytes", Types::kUint8)
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "added to Y as Add does it; see caffe2rt.residual_format", Types::kActivation)
    .output("Y", "(N,M,OH,OW); see caffe2rt.y_format", infer::by(&WinogradConv::shape))
    .args(ConvArgs::documentation())
    .args(WinogradKernel::documentation())
    .args(ActivationFormat::documentation("caffe2rt.x"))
    .args(ActivationFormat::documentation("caffe2rt.residual"))
    .args(ActivationFormat::documentation("caffe2rt.y"));

}  // namespace
}  // namespace caffe2rt
