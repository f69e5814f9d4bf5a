#include "ops/cuda/dense.h"

#include <ATen/ops/add.h>
#include <ATen/ops/empty_like.h>

namespace caffe2rt::cuda {
namespace {

// Whether the elements along the axis lie beside each other, with nothing between one row of them and the
// next.
bool is_innermost(const at::Tensor& y, std::int64_t axis) {
  return y.is_non_overlapping_and_dense() && (y.stride(axis) == 1 || y.size(axis) == 1);
}

void run(const at::Tensor& y, const at::Tensor& bias, const at::Tensor& residual, std::int64_t channels,
         bool relu, const HardSwish& hard_swish) {
  Finish f;
  f.from = f.to = y.mutable_data_ptr();
  f.bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  f.residual = residual.defined() ? residual.const_data_ptr() : nullptr;
  f.size = y.numel();
  f.channels = channels;
  f.relu = relu;
  f.hard_swish = hard_swish;
  f.type = numbers_of(y);
  finish(f, stream());
  check_launch();
}

}  // namespace

at::Tensor finish(at::Tensor y, std::int64_t channel_axis, const std::optional<at::Tensor>& bias,
                  const std::optional<at::Tensor>& residual, bool relu, const HardSwish& hard_swish) {
  if (y.numel() == 0 || (!bias && !residual && !relu && !hard_swish)) return y;
  at::Tensor added, beside;
  if (bias) {
    added = floats(*bias);
    if (!is_innermost(y, channel_axis)) {
      std::vector<std::int64_t> view(static_cast<std::size_t>(y.dim()), 1);
      view[static_cast<std::size_t>(channel_axis)] = added.numel();
      y.add_(added.view(view));
      added = at::Tensor();
    }
  }
  if (!y.is_non_overlapping_and_dense()) y = y.contiguous();
  if (residual) {
    if (residual->sizes() != y.sizes()) {
      run(y, added, beside, y.size(channel_axis), false, {});
      y = at::add(y, *residual).to(y.scalar_type());
      added = at::Tensor();
      if (!y.is_non_overlapping_and_dense()) y = y.contiguous();
    } else {
      // As y lies in memory.
      beside = residual->to(y.scalar_type());
      if (beside.strides() != y.strides()) beside = at::empty_like(y).copy_(beside);
    }
  }
  if (added.defined() || beside.defined() || relu || hard_swish)
    run(y, added, beside, y.size(channel_axis), relu, hard_swish);
  return y;
}

}  // namespace caffe2rt::cuda
