// caffe2rt.MatMulConv: Conv without groups, by kernels/matmul_conv.h and dot_conv.h. The pass use_matmul
// makes it.

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include "ops/conv.h"
#include "ops/matmul_kernel.h"
#include "ops/types.h"

namespace caffe2rt {
namespace {

class MatMulConv final : public Operator {
 public:
  explicit MatMulConv(const OperatorArgs& args)
      : args_(args),
        kernel_(args),
        channels_(args.get("caffe2rt.channels", 0)),
        filters_(args.get("caffe2rt.filters", 0)),
        residual_scale_(args.get("caffe2rt.residual_scale", 1)),
        mean_(args.floats("caffe2rt.mean")) {
    require(channels_ > 0 && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            channels_, filters_);
    require(mean_.empty() || static_cast<int>(mean_.size()) == channels_, ErrorCode::kArgument,
            "argument 'caffe2rt.mean': expected {} numbers, got {}", channels_, mean_.size());
  }

  PartialShape shape(PartialShapes in) const {
    const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
    const std::vector<std::int64_t>& kernel = args_.window.kernel;
    return args_.shape(in[ConvArgs::kX], std::vector<std::int64_t>{filters_, channels_, kernel[0], kernel[1]},
                       given(ConvArgs::kBias),
                       residual_scale_ == 1 ? given(ConvArgs::kResidual) : PartialShape());
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_without_residual(in));
    at::Tensor x = in[ConvArgs::kX];
    at::Tensor y = at::empty(y_shape, x.options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) == 0) {
      out[0] = y;
      return;
    }
    const Residual residual(residual_of(in), y, residual_scale_);
    const Window& window = args_.window;
    const auto axes = window.along(x);
    const auto narrow = [](std::int64_t n) { return static_cast<int>(n); };
    matmul_conv::Problem problem{
        .images = narrow(x.size(0)),
        .height = narrow(x.size(2)),
        .width = narrow(x.size(3)),
        .channels = channels_,
        .filters = filters_,
        .kernel_h = narrow(window.kernel[0]),
        .kernel_w = narrow(window.kernel[1]),
        .stride_h = narrow(window.stride[0]),
        .stride_w = narrow(window.stride[1]),
        .dilation_h = narrow(window.dilation[0]),
        .dilation_w = narrow(window.dilation[1]),
        .pad_top = narrow(axes[0].before),
        .pad_left = narrow(axes[1].before),
        .out_height = narrow(y.size(2)),
        .out_width = narrow(y.size(3)),
        .bias = in.has(ConvArgs::kBias) ? in[ConvArgs::kBias].const_data_ptr<float>() : nullptr,
        .residual = residual.data(),
        .residual_scale = residual_scale_,
        .relu = args_.relu && residual.complete,
        .hard_swish = residual.complete ? args_.hard_swish : HardSwish(),
        .y = y.mutable_data_ptr<float>()};
    if (kernel_.reads_pixels(problem)) {
      problem.planar = x.is_contiguous();
      if (!mean_.empty()) problem.mean = mean_.data();
    } else if (!mean_.empty()) {
      x = x - at::tensor(mean_).view({-1, 1, 1});
    }
    if (!problem.planar) x = in_channels_last_memory(x);
    problem.x = x.const_data_ptr<float>();
    kernel_.run(problem, in[ConvArgs::kFilter]);
    out[0] = residual.complete ? y : args_.finish(y, residual_of(in));
  }

 private:
  const ConvArgs args_;
  const MatMulKernel kernel_;
  const int channels_, filters_;
  const int residual_scale_;  // 1 or 2
  const std::vector<float> mean_;
};

REGISTER_OPERATOR_AS("caffe2rt.MatMulConv", MatMulConv)
    .says("Convolution over 2 spatial axes, without groups, with packed weights.")
    .input("X", "(N,C,H,W) float32")
    .input("filter", "packed weights (matmul_kernel.h): float32, or bytes", Types::kFloat | Types::kUint8)
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "float32, added to Y as Add does it; see caffe2rt.residual_scale")
    .output("Y", "(N,M,OH,OW) float32", infer::by(&MatMulConv::shape))
    .args(ConvArgs::documentation())
    .args(MatMulKernel::documentation())
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.mean", "of each channel, taken off X, whose padding stays zero; set by fuse_mean")
    .arg(
        "caffe2rt.residual_scale",
        "1 (default), or 2: the residual is (N,M,OH/2,OW/2), each pixel added to four; set by fuse_upsample");

}  // namespace
}  // namespace caffe2rt
