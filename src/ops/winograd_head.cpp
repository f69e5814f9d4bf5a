// caffe2rt.WinogradHead: caffe2rt.WinogradConv and the Conv of single pixels that alone reads its result,
// which is never in memory: the head of a proposal network. The pass join_pointwise makes it.
#include <ATen/ops/empty.h>

#include "ops/bias.h"
#include "ops/conv.h"
#include "ops/types.h"
#include "ops/winograd_kernel.h"

namespace caffe2rt {
namespace {

class WinogradHead final : public Operator {
 public:
  enum Input { kX, kFilter, kBias, kPointwise, kPointwiseBias };

  explicit WinogradHead(const OperatorArgs& args)
      : args_(args), kernel_(args), columns_(args.get("caffe2rt.columns", 0)), x_format_(args, "caffe2rt.x") {
    require(columns_ > 0 && columns_ <= winograd::kMostColumns, ErrorCode::kArgument,
            "argument 'caffe2rt.columns': expected 1 to {}, got {}", winograd::kMostColumns, columns_);
    require(args.get("caffe2rt.groups", 1) == 1, ErrorCode::kArgument,
            "argument 'caffe2rt.groups': expected 1");
  }

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 4 'pointwise_bias'", in[kPointwiseBias], {{columns_}});
    PartialShape y = kernel_.shape(args_, in[kX], in[kBias], PartialShape());
    if (y) (*y)[1] = columns_;
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    at::Tensor y = at::empty(*shape(shapes_of(in)), at::kFloat, at::MemoryFormat::ChannelsLast);
    if (y.numel() > 0) {
      const at::Tensor x = in_channels_last_memory(in[kX]);
      const Bias bias(in, kBias), pointwise_bias(in, kPointwiseBias);
      kernel_.run(x, in[kFilter],
                  {.x = x_format_.source(x),
                   .bias = bias.data(),
                   .relu = args_.relu,
                   .pointwise = in[kPointwise].const_data_ptr<float>(),
                   .columns = columns_,
                   .pointwise_bias = pointwise_bias.data(),
                   .y = y.mutable_data_ptr<float>()});
    }
    out[0] = y;
  }

 private:
  const ConvArgs args_;
  const WinogradKernel kernel_;
  const int columns_;
  const ActivationFormat x_format_;
};

REGISTER_OPERATOR_AS("caffe2rt.WinogradHead", WinogradHead)
    .says("Convolution with a 3x3 window of stride 1, and one of single pixels that reads its result.")
    .input("X", "(N,C,H,W); see caffe2rt.x_format", Types::kActivation)
    .input("filter", "packed weights (M,C,3,3), winograd::packed_size bytes", Types::kUint8)
    .input("bias", "(M) float32")
    .input("pointwise", "packed weights (columns,M,1,1) (matmul_kernel.h), float32")
    .input("pointwise_bias", "(columns) float32")
    .output("Y", "(N,columns,OH,OW) float32", infer::by(&WinogradHead::shape))
    .args(ConvArgs::documentation())
    .args(WinogradKernel::documentation())
    .args(ActivationFormat::documentation("caffe2rt.x"))
    .arg("caffe2rt.columns", "filters of the convolution of single pixels");

}  // namespace
}  // namespace caffe2rt
