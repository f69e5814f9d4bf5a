// caffe2rt.WinogradConv: Conv with a 3x3 window of stride 1, by kernels/winograd.h. The pass use_winograd
// makes it.
#include <ATen/ops/empty.h>

#include "kernels/winograd.h"
#include "ops/conv.h"
#include "ops/run_blocks.h"
#include "ops/types.h"

namespace caffe2rt {
namespace {

class WinogradConv final : public Operator {
 public:
  explicit WinogradConv(const OperatorArgs& args)
      : args_(args),
        channels_(args.get("caffe2rt.channels", 0)),
        filters_(args.get("caffe2rt.filters", 0)),
        pad_(args.get("pad", 0)),
        numbers_(args.get("caffe2rt.numbers", 0) == 0 ? winograd::Numbers::kFloat32
                                                      : winograd::Numbers::kInt16) {
    require(channels_ > 0 && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            channels_, filters_);
    require(pad_ == 0 || pad_ == 1, ErrorCode::kArgument, "argument 'pad': expected 0 or 1, got {}", pad_);
  }

  PartialShape shape(PartialShapes in) const {
    const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
    return args_.shape(in[ConvArgs::kX], std::vector<std::int64_t>{filters_, channels_, 3, 3},
                       given(ConvArgs::kBias), given(ConvArgs::kResidual));
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_without_residual(in));
    const at::Tensor x = in_channels_last_memory(in[ConvArgs::kX]);
    at::Tensor y = at::empty(y_shape, x.options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) == 0) {
      out[0] = y;
      return;
    }
    const Residual residual(residual_of(in), y);
    const winograd::Problem problem{
        .numbers = numbers_,
        .images = static_cast<int>(x.size(0)),
        .height = static_cast<int>(x.size(2)),
        .width = static_cast<int>(x.size(3)),
        .channels = channels_,
        .filters = filters_,
        .pad = pad_,
        .threads = at::get_num_threads(),
        .x = x.const_data_ptr<float>(),
        .packed = in[ConvArgs::kFilter].const_data_ptr(),
        .bias = in.has(ConvArgs::kBias) ? in[ConvArgs::kBias].const_data_ptr<float>() : nullptr,
        .residual = residual.data(),
        .relu = args_.relu && residual.complete,
        .y = y.mutable_data_ptr<float>()};
    run_blocks(winograd::count_blocks(problem), winograd::scratch_size(problem),
               [&](int block, float* scratch) { winograd::run(problem, block, block + 1, scratch); });
    out[0] = residual.complete ? y : args_.finish(y, residual_of(in));
  }

 private:
  const ConvArgs args_;
  const int channels_, filters_, pad_;
  const winograd::Numbers numbers_;
};

REGISTER_OPERATOR_AS("caffe2rt.WinogradConv", WinogradConv)
    .says("Convolution with a 3x3 window of stride 1, with a quarter of the multiplications.")
    .input("X", "(N,C,H,W) float32")
    .input("filter", "packed weights, winograd::packed_size bytes", Types::kUint8)
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "float32, added to Y as Add does it")
    .output("Y", "(N,M,OH,OW) float32", infer::by(&WinogradConv::shape))
    .args(ConvArgs::documentation())
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.numbers", "what is multiplied: 0 float32, 1 16 bit integers");

}  // namespace
}  // namespace caffe2rt
