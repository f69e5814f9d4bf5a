// caffe2rt.SeparableConv: a depthwise convolution and the 1x1 convolution of its result, of which only a
// block's rows are ever in memory. By kernels/depthwise.h and matmul_conv.h. The pass join_separable makes
// it. Source: Howard et al., https://arxiv.org/abs/1704.04861.
#include <ATen/ops/empty.h>

#include "ops/bias.h"
#include "ops/conv.h"
#include "ops/depthwise.h"
#include "ops/matmul_kernel.h"
#include "ops/types.h"

namespace caffe2rt {
namespace {

class SeparableConv final : public Operator {
 public:
  enum Input { kX, kDepthwise, kFilter, kBias, kResidual };

  explicit SeparableConv(const OperatorArgs& args)
      : args_(args),
        kernel_(args),
        channels_(args.get("caffe2rt.channels", std::int64_t{0})),
        filters_(args.get("caffe2rt.filters", std::int64_t{0})),
        residual_scale_(args.get("caffe2rt.residual_scale", 1)),
        relu_between_(args.get("caffe2rt.relu_between", false)),
        hard_swish_between_{args.get("caffe2rt.alpha_between", 0.0F),
                            args.get("caffe2rt.beta_between", 0.0F)} {
    require(channels_ >= depthwise::kLeastChannels && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected at least {} and 1, got {} and {}",
            depthwise::kLeastChannels, channels_, filters_);
  }

  PartialShape shape(PartialShapes in) const {
    const Window& window = args_.window;
    const std::int64_t channels = window.channels(in[kX]);
    require(channels == kUnknown || channels == channels_, ErrorCode::kShape,
            "input 0 'X': expected {} channels, got {}", channels_, channels);
    require_compatible("input 1 'depthwise'", in[kDepthwise], packed_depthwise_shape(window, channels_));
    require_compatible("input 3 'bias'", in[kBias], {{filters_}});
    const PartialShape y = window.output_shape(in[kX], filters_);
    const PartialShape residual =
        in.size() > kResidual && residual_scale_ == 1 ? in[kResidual] : PartialShape();
    return compatible(residual, y) ? y : PartialShape();
  }

  void run(const Inputs& in, Outputs& out) const override {
    std::vector<PartialShape> shapes = shapes_of(in);
    shapes.resize(kBias + 1);
    const auto y_shape = *shape(shapes);
    const at::Tensor x = in_channels_last_memory(in[kX]);
    at::Tensor y = at::empty(y_shape, x.options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) == 0) {
      out[0] = y;
      return;
    }
    const at::Tensor* given = residual_of(in, kResidual);
    const Residual residual(given, y_shape, residual_scale_);
    const Bias bias(in, kBias);
    depthwise::Problem between = depthwise_problem(args_.window, x, in[kDepthwise], y_shape);
    between.relu = relu_between_;
    between.hard_swish = hard_swish_between_;
    kernel_.run({.images = between.images,
                 .height = between.out_height,
                 .width = between.out_width,
                 .channels = between.channels,
                 .filters = static_cast<int>(filters_),
                 .out_height = between.out_height,
                 .out_width = between.out_width,
                 .depthwise = &between,
                 .bias = bias.data(),
                 .residual = residual.source({}),
                 .residual_scale = residual_scale_,
                 .relu = args_.relu && residual.complete,
                 .hard_swish = residual.complete ? args_.hard_swish : HardSwish(),
                 .y = y.mutable_data_ptr<float>()},
                in[kFilter]);
    out[0] = residual.complete ? y : args_.finish(y, given);
  }

 private:
  const ConvArgs args_;  // window: of the depthwise one; activation: of the result
  const MatMulKernel kernel_;
  const std::int64_t channels_, filters_;
  const int residual_scale_;  // 1 or 2
  const bool relu_between_;
  const HardSwish hard_swish_between_;
};

REGISTER_OPERATOR_AS("caffe2rt.SeparableConv", SeparableConv)
    .says("Depthwise convolution over 2 spatial axes, and a 1x1 convolution of its result.")
    .input("X", "(N,C,H,W) float32")
    .input("depthwise", "(KH*KW+1,C) float32: see caffe2rt.DepthwiseConv")
    .input("filter", "packed float32 weights of the 1x1 one (matmul_kernel.h)")
    .input("bias", "(M) float32")
    .optional_input("residual", "float32, added to Y as Add does it; see caffe2rt.residual_scale")
    .output("Y", "(N,M,OH,OW) float32", infer::by(&SeparableConv::shape))
    .args(ConvArgs::documentation())
    .args(MatMulKernel::documentation())
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.residual_scale", "see caffe2rt.MatMulConv")
    .arg("caffe2rt.relu_between", "1: max(x, 0) of the depthwise one's result")
    .arg("caffe2rt.alpha_between",
         "of the depthwise one's result x: x * clip(alpha_between * x + beta_between, 0, 1)")
    .arg("caffe2rt.beta_between", "see caffe2rt.alpha_between");

}  // namespace
}  // namespace caffe2rt
