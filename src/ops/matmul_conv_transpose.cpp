// caffe2rt.MatMulConvTranspose: ConvTranspose with a 2x2 window of stride 2, which overlaps nowhere: each of
// its four pixels is a 1x1 convolution of its own, by kernels/matmul_conv.h and dot_conv.h. The pass
// use_matmul makes it.
#include "ops/activation.h"
#include "ops/bias.h"
#include "ops/matmul_kernel.h"
#include "ops/types.h"
#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class MatMulConvTranspose final : public Operator {
 public:
  enum Input { kX, kFilter, kBias };

  explicit MatMulConvTranspose(const OperatorArgs& args)
      : kernel_(args),
        channels_(args.get("caffe2rt.channels", 0)),
        filters_(args.get("caffe2rt.filters", 0)),
        relu_(args.get("caffe2rt.relu", false)),
        x_format_(args, "caffe2rt.x"),
        y_format_(args, "caffe2rt.y") {
    require(channels_ > 0 && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            channels_, filters_);
  }

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 0 'X'", in[kX], PartialShape({kUnknown, channels_, kUnknown, kUnknown}));
    if (in.size() > kBias) require_compatible("input 2 'bias'", in[kBias], {{filters_}});
    const auto twice = [](std::int64_t n) { return n == kUnknown ? kUnknown : 2 * n; };
    return std::vector<std::int64_t>{dim_or_unknown(in[kX], 0), filters_, twice(dim_or_unknown(in[kX], 2)),
                                     twice(dim_or_unknown(in[kX], 3))};
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    const at::Tensor x = in_channels_last_memory(in[kX]);
    at::Tensor y = y_format_.empty(y_shape);
    out[0] = y;
    if (element_count(y_shape) == 0) return;
    const int height = static_cast<int>(x.size(2)), width = static_cast<int>(x.size(3));
    const size_t step = filters_, line = 2 * static_cast<size_t>(width) * step;
    const Bias bias(in, kBias);
    matmul_conv::Problem problem{.images = static_cast<int>(x.size(0)),
                                 .height = height,
                                 .width = width,
                                 .channels = channels_,
                                 .filters = filters_,
                                 .out_height = height,
                                 .out_width = width,
                                 .x = x_format_.source(x),
                                 .bias = bias.data(),
                                 .relu = relu_,
                                 .y_step = 2 * step,
                                 .y_line = 2 * line};
    for (int i = 0; i < 4; i++) {
      problem.y = y_format_.target(y).from(i / 2 * line + i % 2 * step);
      kernel_.run(problem, in[kFilter][i]);
    }
  }

 private:
  const MatMulKernel kernel_;
  const int channels_, filters_;
  const bool relu_;
  const ActivationFormat x_format_, y_format_;
};

REGISTER_OPERATOR_AS("caffe2rt.MatMulConvTranspose", MatMulConvTranspose)
    .says("Transposed convolution with a 2x2 window of stride 2, with packed weights.")
    .input("X", "(N,C,H,W); see caffe2rt.x_format", Types::kActivation)
    .input("filter",
           "(4,...) packed weights of each pixel of the window (matmul_kernel.h): float32, or bytes",
           Types::kFloat | Types::kUint8)
    .optional_input("bias", "(M) float32")
    .output("Y", "(N,M,2*H,2*W); see caffe2rt.y_format", infer::by(&MatMulConvTranspose::shape))
    .args(ActivationFormat::documentation("caffe2rt.x"))
    .args(ActivationFormat::documentation("caffe2rt.y"))
    .args(MatMulKernel::documentation())
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.relu", "max(Y, 0) instead of Y");

}  // namespace
}  // namespace caffe2rt
