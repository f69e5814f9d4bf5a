// MaxPool: Y[n,c,i] = the largest of X[n,c,i*stride - pad + k] over the window's k that lie inside X.
// AveragePool: their mean; with count_include_pad their sum over the number of elements of the whole window.
//
// Over 1 to 3 spatial axes. Source: Caffe2's pooling operators. A window that lies outside X altogether,
// which only legacy_pad makes, gives 0 (the original reads stray memory there).
#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/mean.h>

#include <limits>
#include <numeric>

#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// What the two have in common: shapes, layouts, padding and empty inputs.
class Pool : public Operator {
 public:
  enum Input { kX };

  explicit Pool(const OperatorArgs& args) : window_(Window::read(args)) {
    for (const auto d : window_.dilation)
      require(d == 1, ErrorCode::kArgument, "argument 'dilation': expected 1, got {}", d);
    for (size_t i = 0; !window_.global && i < window_.pads.size(); i++)
      require(window_.pads[i] < window_.kernel[i % window_.axes()], ErrorCode::kArgument,
              "argument 'pads': expected less than the kernel's {}, got {}",
              window_.kernel[i % window_.axes()], window_.pads[i]);
  }

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    if (!window_.global) return window_.output_shape(x, window_.channels(x));
    if (!x) return x;
    require(x->size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
            to_string(x));
    PartialShape y = x;
    const bool nchw = window_.order == StorageOrder::kNchw;
    for (size_t d = nchw ? 2 : 1; d < x->size() - (nchw ? 0 : 1); d++) {
      require((*x)[d] != 0, ErrorCode::kShape, "input 0 'X': expected an image, got {}", to_string(x));
      (*y)[d] = 1;
    }
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, in[kX].options());
      return;
    }
    at::Tensor x = to_channels_first(in[kX], window_.order);
    if (window_.global) {
      std::vector<std::int64_t> spatial(x.dim() - 2);
      std::iota(spatial.begin(), spatial.end(), 2);
      out[0] = spatial.empty() ? x : from_channels_first(reduce(x, spatial), window_.order);
      return;
    }
    // One axis is two, of which one is 1.
    Window window = window_;
    auto axes = window.along(x);
    if (window.axes() == 1) {
      x = x.unsqueeze(2);
      window.kernel.insert(window.kernel.begin(), 1);
      window.stride.insert(window.stride.begin(), 1);
      window.dilation.insert(window.dilation.begin(), 1);
      axes.insert(axes.begin(), WindowAxis{0, 0, 1});
    }
    at::Tensor y = pool(in_channels_last_memory(x), window, axes);
    if (window_.axes() == 1) y = y.squeeze(2);
    out[0] = from_channels_first(y, window_.order);
  }

 protected:
  // Over whole axes.
  virtual at::Tensor reduce(const at::Tensor& x, const std::vector<std::int64_t>& spatial) const = 0;
  // Over 2 or 3 axes of x, (N,C,...).
  virtual at::Tensor pool(const at::Tensor& x, const Window& window,
                          const std::vector<WindowAxis>& axes) const = 0;

 private:
  const Window window_;
};

// Where the kernels take padding themselves: up to half of the window, alike on both sides.
std::optional<std::vector<std::int64_t>> padding_of_kernel(const Window& window, const at::Tensor& x,
                                                           const std::vector<WindowAxis>& axes) {
  for (size_t i = 0; i < axes.size(); i++)
    if (2 * axes[i].before > window.kernel[i]) return std::nullopt;
  return symmetric_padding(window, x, axes);
}

// (1,1,...) float32: how many elements of each window lie inside x.
at::Tensor count_inside(const at::Tensor& x, const Window& window, const std::vector<WindowAxis>& axes) {
  at::Tensor count = at::empty({}, x.options()).fill_(1);
  for (size_t i = 0; i < axes.size(); i++) {
    const at::Tensor begin = at::arange(axes[i].windows, x.options()) * window.stride[i] - axes[i].before;
    const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
    count = count.unsqueeze(-1) * ((begin + window.kernel[i]).clamp(0, size) - begin.clamp(0, size));
  }
  return count.unsqueeze(0).unsqueeze(0);
}

class MaxPool final : public Pool {
 public:
  using Pool::Pool;

 private:
  at::Tensor reduce(const at::Tensor& x, const std::vector<std::int64_t>& spatial) const override {
    return at::amax(x, spatial, /*keepdim=*/true);
  }

  at::Tensor pool(const at::Tensor& x, const Window& window,
                  const std::vector<WindowAxis>& axes) const override {
    const auto max_pool = [&](const at::Tensor& t, const std::vector<std::int64_t>& padding) {
      return axes.size() == 2 ? at::max_pool2d(t, window.kernel, window.stride, padding)
                              : at::max_pool3d(t, window.kernel, window.stride, padding);
    };
    if (const auto padding = padding_of_kernel(window, x, axes)) return max_pool(x, *padding);
    const at::Tensor y = max_pool(pad(x, axes, -std::numeric_limits<float>::infinity()),
                                  std::vector<std::int64_t>(axes.size(), 0));
    return y.masked_fill(count_inside(x, window, axes) == 0, 0);
  }
};

class AveragePool final : public Pool {
 public:
  explicit AveragePool(const OperatorArgs& args)
      : Pool(args), count_include_pad_(args.get("count_include_pad", false)) {}

 private:
  at::Tensor reduce(const at::Tensor& x, const std::vector<std::int64_t>& spatial) const override {
    return at::mean(x, spatial, /*keepdim=*/true);
  }

  at::Tensor pool(const at::Tensor& x, const Window& window,
                  const std::vector<WindowAxis>& axes) const override {
    const auto average = [&](const at::Tensor& t, const std::vector<std::int64_t>& padding,
                             std::optional<std::int64_t> divisor) {
      return axes.size() == 2 ? at::avg_pool2d(t, window.kernel, window.stride, padding, false,
                                               count_include_pad_, divisor)
                              : at::avg_pool3d(t, window.kernel, window.stride, padding, false,
                                               count_include_pad_, divisor);
    };
    if (const auto padding = padding_of_kernel(window, x, axes)) return average(x, *padding, std::nullopt);
    const at::Tensor padded = pad(x, axes, 0);
    const std::vector<std::int64_t> none(axes.size(), 0);
    if (count_include_pad_) return average(padded, none, std::nullopt);
    return average(padded, none, 1) / count_inside(x, window, axes).clamp_min(1);
  }

  const bool count_include_pad_;
};

REGISTER_OPERATOR(MaxPool)
    .says("The largest element of every window.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC; H,W stand for 1 to 3 axes")
    .output("Y", "(N,C,OH,OW) float32, or (N,OH,OW,C)", infer::by(&MaxPool::shape))
    .args(Window::documentation())
    .runs_on_any_device();

REGISTER_OPERATOR(AveragePool)
    .says("The mean of every window.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC; H,W stand for 1 to 3 axes")
    .output("Y", "(N,C,OH,OW) float32, or (N,OH,OW,C)", infer::by(&AveragePool::shape))
    .args(Window::documentation())
    .arg("count_include_pad",
         "1: divide by the size of the window even where it reaches outside X; default 0")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
