// Conv: Y[n,m,i] = bias[m] + sum over c, k of filter[m,c,k] * X[n, g(m)*C/group + c, i*stride + k*dilation -
// pad], where i and k run over 1 to 3 spatial axes and g(m) is the group of output channel m. Source:
// Caffe2's Conv.
#include "ops/conv.h"

#include <ATen/ops/add.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "ops/relu.h"

namespace caffe2rt {

ConvArgs::ConvArgs(const OperatorArgs& args)
    : window(Window::read(args)),
      group(args.get("group", std::int64_t{1})),
      relu(args.get("caffe2rt.relu", false)),
      hard_swish{args.get("caffe2rt.alpha", 0.0F), args.get("caffe2rt.beta", 0.0F)},
      of_sum(args.get("caffe2rt.of_sum", false)),
      in_place(args.get("caffe2rt.in_place", false)) {
  require(!window.global, ErrorCode::kArgument, "expected no argument 'global_pooling'");
  require(group >= 1, ErrorCode::kArgument, "argument 'group': expected at least 1, got {}", group);
}

PartialShape ConvArgs::shape(const PartialShape& x, const PartialShape& filter, const PartialShape& bias,
                             const PartialShape& residual) const {
  const std::int64_t channels = window.channels(x), filters = dim_or_unknown(filter, 0);
  require(channels == kUnknown || (channels > 0 && channels % group == 0), ErrorCode::kShape,
          "input 0 'X': expected a number of channels that {} groups divide, got {}", group, channels);
  require(filters == kUnknown || (filters > 0 && filters % group == 0), ErrorCode::kShape,
          "input 1 'filter': expected a number of filters that {} groups divide, got {}", group, filters);
  require_compatible(
      "input 1 'filter'", filter,
      window.shape(filters, channels == kUnknown ? kUnknown : channels / group, window.kernel));
  require_compatible("input 2 'bias'", bias, {{filters}});
  const PartialShape y = window.output_shape(x, filters);
  if (of_sum) require_compatible("input 3 'residual'", residual, y);
  return compatible(residual, y) ? y : PartialShape();
}

PartialShape ConvArgs::shape_of_inputs(PartialShapes in) const {
  const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
  return shape(in[kX], in[kFilter], given(kBias), given(kResidual));
}

at::Tensor ConvArgs::finish(at::Tensor y, const at::Tensor* residual,
                            const ActivationFormat& of_residual) const {
  if (residual) {
    const at::Tensor floats = of_residual.to_floats(*residual);
    require(!of_sum || y.sizes() == floats.sizes(), ErrorCode::kShape,
            "input 3 'residual': expected {}, got {}", to_string(std::span(y.sizes())),
            to_string(std::span(floats.sizes())));
    y = y.sizes() == floats.sizes() ? y.add_(floats) : at::add(y, floats);
  }
  if (relu) relu_into(y, y);
  if (hard_swish)
    caffe2rt::hard_swish(hard_swish, static_cast<size_t>(y.numel()), y.mutable_data_ptr<float>());
  return y;
}

std::vector<PartialShape> shapes_without_residual(const Inputs& in) {
  std::vector<PartialShape> shapes = shapes_of(in);
  shapes.resize(std::min<size_t>(shapes.size(), ConvArgs::kResidual));
  return shapes;
}

Residual::Residual(const at::Tensor* given, std::span<const std::int64_t> y_shape, int scale) {
  if (!given) return;
  if (scale != 1) {
    std::vector<std::int64_t> shape(y_shape.begin(), y_shape.end());
    const bool even = shape[2] % scale == 0 && shape[3] % scale == 0;
    shape[2] /= scale;
    shape[3] /= scale;
    require(even, ErrorCode::kShape,
            "input 'residual': expected half of Y's height and width, which are odd: {}, got {}",
            to_string(y_shape), to_string(std::span(given->sizes())));
    require(given->sizes() == shape, ErrorCode::kShape,
            "input 'residual': expected {}, half of Y's {}, got {}", to_string(std::span(shape)),
            to_string(y_shape), to_string(std::span(given->sizes())));
    tensor = in_channels_last_memory(*given);
    return;
  }
  complete = std::ranges::equal(given->sizes(), y_shape);
  if (complete) tensor = in_channels_last_memory(*given);
}

const std::vector<Schema::Arg>& ConvArgs::documentation() {
  static const std::vector<Schema::Arg> args = [] {
    std::vector<Schema::Arg> all = Window::documentation();
    all.push_back({"caffe2rt.relu", "not in files: max(Y, 0) instead of Y; set by the pass fuse_relu"});
    all.push_back(
        {"caffe2rt.alpha",
         "not in files: Y * clip(alpha * Y + beta, 0, 1) instead of Y; set by the pass fuse_hard_swish"});
    all.push_back({"caffe2rt.beta", "see caffe2rt.alpha"});
    all.push_back(
        {"caffe2rt.of_sum",
         "not in files: the residual must have Y's shape, as Sum wants it; set by the pass fuse_add"});
    all.push_back(
        {"caffe2rt.in_place",
         "not in files: Y may be written where the residual lies; set by the pass reuse_residuals"});
    return all;
  }();
  return args;
}

namespace {

class Conv final : public Operator {
 public:
  explicit Conv(const OperatorArgs& args) : args_(args) {}

  PartialShape shape(PartialShapes in) const { return args_.shape_of_inputs(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const Window& window = args_.window;
    const auto y_shape = *shape(shapes_without_residual(in));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, in[ConvArgs::kX].options());
      return;
    }
    // The small batches of detection are fastest in channels_last memory, from one end of the trunk to the
    // other.
    at::Tensor x = to_channels_first(in[ConvArgs::kX], window.order);
    const at::Tensor filter = in_channels_last_memory(to_channels_first(in[ConvArgs::kFilter], window.order));
    const auto axes = window.along(x);
    auto padding = symmetric_padding(window, x, axes);
    if (!padding) {
      x = pad(x, axes, 0);
      padding.emplace(axes.size(), 0);
    }
    const std::vector<std::int64_t> output_padding(axes.size(), 0);
    const auto bias = in.has(ConvArgs::kBias) ? std::optional(in[ConvArgs::kBias]) : std::nullopt;
    const at::Tensor y = at::convolution(in_channels_last_memory(x), filter, bias, window.stride, *padding,
                                         window.dilation, /*transposed=*/false, output_padding, args_.group);
    out[0] = args_.finish(from_channels_first(y, window.order), residual_of(in));
  }

 private:
  const ConvArgs args_;
};

REGISTER_OPERATOR(Conv)
    .says("Convolution over 1 to 3 spatial axes.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC; H,W stand for 1 to 3 axes")
    .input("filter", "(M,C/group,KH,KW) float32, or (M,KH,KW,C/group)")
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "not in files: float32, added to Y as Add does it; set by the pass fuse_add")
    .output("Y", "(N,M,OH,OW) float32, or (N,OH,OW,M)", infer::by(&Conv::shape))
    .args(ConvArgs::documentation());

}  // namespace
}  // namespace caffe2rt
