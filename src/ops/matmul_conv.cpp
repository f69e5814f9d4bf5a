// caffe2rt.MatMulConv: Conv without groups, by kernels/matmul_conv.h and dot_conv.h. The pass use_matmul
// makes it.

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "ops/bias.h"
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
        mean_(args.floats("caffe2rt.mean")),
        pooled_(args.get("caffe2rt.pooled", false)),
        x_format_(args, "caffe2rt.x"),
        residual_format_(args, "caffe2rt.residual"),
        y_format_(args, "caffe2rt.y") {
    require(channels_ > 0 && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            channels_, filters_);
    require(mean_.empty() || static_cast<int>(mean_.size()) == channels_, ErrorCode::kArgument,
            "argument 'caffe2rt.mean': expected {} numbers, got {}", channels_, mean_.size());
    require(!pooled_ || (args_.relu && !args_.hard_swish && kernel_.reads_pixels(windows())),
            ErrorCode::kArgument,
            "argument 'caffe2rt.pooled': expected windows of several pixels of at most {} channels, float32, "
            "and a relu",
            matmul_conv::kFewChannels);
  }

  PartialShape shape(PartialShapes in) const {
    const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
    const std::vector<std::int64_t>& kernel = args_.window.kernel;
    PartialShape y = args_.shape(
        in[ConvArgs::kX], std::vector<std::int64_t>{filters_, channels_, kernel[0], kernel[1]},
        given(ConvArgs::kBias), residual_scale_ == 1 ? given(ConvArgs::kResidual) : PartialShape());
    for (size_t axis = 2; pooled_ && y && axis < 4; axis++)
      if ((*y)[axis] != kUnknown) (*y)[axis] = ((*y)[axis] + 1) / 2;
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_without_residual(in));
    if (element_count(y_shape) == 0) {
      out[0] = y_format_.empty(y_shape);
      return;
    }
    at::Tensor x = in[ConvArgs::kX];
    const Residual residual(residual_of(in), y_shape, residual_scale_);
    const ActivationFormat format = residual.complete ? y_format_ : ActivationFormat();
    require(!pooled_ || !residual.tensor.defined(), ErrorCode::kGraph, "what is pooled has no residual");
    at::Tensor y = residual.room_for(
        y_shape, format, args_.in_place && residual_scale_ == 1 && kernel_.writes_once(windows()));
    const auto axes = args_.window.along(x);
    const Bias bias(in, ConvArgs::kBias);
    matmul_conv::Problem problem = windows();
    problem.images = narrow(x.size(0));
    problem.height = narrow(x.size(2));
    problem.width = narrow(x.size(3));
    problem.pad_top = narrow(axes[0].before);
    problem.pad_left = narrow(axes[1].before);
    problem.out_height = narrow(axes[0].windows);
    problem.out_width = narrow(axes[1].windows);
    problem.bias = bias.data();
    problem.residual = residual.source(residual_format_);
    problem.residual_scale = residual_scale_;
    problem.relu = args_.relu && residual.complete;
    problem.hard_swish = residual.complete ? args_.hard_swish : HardSwish();
    problem.pooled = pooled_;
    problem.y = format.target(y);
    if (kernel_.reads_pixels(problem)) {
      problem.planar = x.is_contiguous();
      if (!mean_.empty()) problem.mean = mean_.data();
    } else if (!mean_.empty()) {
      x = x - at::tensor(mean_).view({-1, 1, 1});
    }
    if (!problem.planar) x = in_channels_last_memory(x);
    problem.x = x_format_.source(x);
    kernel_.run(problem, in[ConvArgs::kFilter]);
    out[0] =
        residual.complete ? y : y_format_.from_floats(args_.finish(y, residual_of(in), residual_format_));
  }

 private:
  static int narrow(std::int64_t n) { return static_cast<int>(n); }

  // What does not depend on the input.
  matmul_conv::Problem windows() const {
    const Window& window = args_.window;
    return {.channels = channels_,
            .filters = filters_,
            .kernel_h = narrow(window.kernel[0]),
            .kernel_w = narrow(window.kernel[1]),
            .stride_h = narrow(window.stride[0]),
            .stride_w = narrow(window.stride[1]),
            .dilation_h = narrow(window.dilation[0]),
            .dilation_w = narrow(window.dilation[1])};
  }

  const ConvArgs args_;
  const MatMulKernel kernel_;
  const int channels_, filters_;
  const int residual_scale_;  // 1 or 2
  const std::vector<float> mean_;
  const bool pooled_;
  const ActivationFormat x_format_, residual_format_, y_format_;
};

REGISTER_OPERATOR_AS("caffe2rt.MatMulConv", MatMulConv)
    .says("Convolution over 2 spatial axes, without groups, with packed weights.")
    .input("X", "(N,C,H,W); see caffe2rt.x_format", Types::kActivation)
    .input("filter", "packed weights (matmul_kernel.h): float32, or bytes", Types::kFloat | Types::kUint8)
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "added to Y as Add does it; see caffe2rt.residual_scale and _format",
                    Types::kActivation)
    .output("Y", "(N,M,OH,OW); see caffe2rt.y_format", infer::by(&MatMulConv::shape))
    .args(ActivationFormat::documentation("caffe2rt.x"))
    .args(ActivationFormat::documentation("caffe2rt.residual"))
    .args(ActivationFormat::documentation("caffe2rt.y"))
    .args(ConvArgs::documentation())
    .args(MatMulKernel::documentation())
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.mean", "of each channel, taken off X, whose padding stays zero; set by fuse_mean")
    .arg("caffe2rt.pooled",
         "1: Y is MaxPool of it, kernel 3, stride 2, pad 1, (N,M,(OH+1)/2,(OW+1)/2); set by fuse_pool")
    .arg(
        "caffe2rt.residual_scale",
        "1 (default), or 2: the residual is (N,M,OH/2,OW/2), each pixel added to four; set by fuse_upsample");

}  // namespace
}  // namespace caffe2rt
