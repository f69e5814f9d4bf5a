// Conv on a GPU: cuDNN's convolution in channels_last memory, then bias, residual and activation in one pass.
#include "ops/conv.h"

#include <ATen/Context.h>
#include <ATen/ops/_convolution.h>
#include <ATen/ops/empty.h>

#include "ops/cuda/dense.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

// cuDNN chooses an algorithm by rules, or, where the process asks for it, by timing them all on the first
// sight of a shape. Maps as small as regions' come in ever new numbers: timing those would not end.
bool may_measure(const at::Tensor& x) {
  constexpr std::int64_t kPositions = 1024;
  return at::globalContext().benchmarkCuDNN() && x.numel() >= kPositions * x.size(0) * x.size(1);
}

class Conv final : public Operator {
 public:
  explicit Conv(const OperatorArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    const Window& window = args_.window;
    const auto y_shape = *args_.shape_of_inputs(shapes_without_residual(in));
    const at::Tensor filter = in_channels_last_memory(to_channels_first(in[ConvArgs::kFilter], window.order));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, filter.options());
      return;
    }
    at::Tensor x = to_channels_first(in[ConvArgs::kX].to(filter.scalar_type()), window.order);
    const auto axes = window.along(x);
    auto padding = symmetric_padding(window, x, axes);
    if (!padding) {
      x = pad(x, axes, 0);
      padding.emplace(axes.size(), 0);
    }
    const std::vector<std::int64_t> output_padding(axes.size(), 0);
    // Float32 means float32: TF32 would keep 11 bits of mantissa.
    const at::Tensor y = at::_convolution(in_channels_last_memory(x), filter, std::nullopt, window.stride,
                                          *padding, window.dilation, /*transposed=*/false, output_padding,
                                          args_.group, /*benchmark=*/may_measure(x), /*deterministic=*/false,
                                          /*cudnn_enabled=*/true, /*allow_tf32=*/false);
    const auto given = [&](size_t i) { return in.has(i) ? std::optional(in[i]) : std::nullopt; };
    const at::Tensor laid_out = from_channels_first(y, window.order);
    if (args_.of_sum && in.has(ConvArgs::kResidual))
      require_shape(in, ConvArgs::kResidual, std::span(laid_out.sizes().data(), laid_out.sizes().size()));
    out[0] = finish(laid_out, window.order == StorageOrder::kNchw ? 1 : y.dim() - 1, given(ConvArgs::kBias),
                    given(ConvArgs::kResidual), args_.relu, args_.hard_swish);
  }
  bool can_be_recorded() const override { return true; }

 private:
  const ConvArgs args_;
};

REGISTER_CUDA_OPERATOR("Conv", Conv);

}  // namespace
}  // namespace caffe2rt::cuda
