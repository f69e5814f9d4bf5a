// ConvTranspose: Y[n,m,j] = bias[m] + sum over c, i, k with i*stride + k - pad = j of X[n,c,i] *
// filter[c,m,k], over two spatial axes, where c and m are of one group; OH = (H-1)*stride + KH + adj - pad_t
// - pad_b. Source: Caffe2's ConvTranspose, which reads dilation and legacy_pad and makes no use of them.
#include "ops/conv_transpose.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_convolution.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/vector_clones.h"
#include "ops/relu.h"

namespace caffe2rt {
namespace {

std::vector<std::int64_t> read_adj(const OperatorArgs& args) {
  std::vector<std::int64_t> adj = args.ints("adjs");
  if (args.has("adj"))
    adj.resize(ConvTransposeArgs::kAxes, args.get("adj", std::int64_t{0}));
  else if (args.has("adj_h") && args.has("adj_w"))
    adj = {args.get("adj_h", std::int64_t{0}), args.get("adj_w", std::int64_t{0})};
  if (adj.empty()) adj.assign(ConvTransposeArgs::kAxes, 0);
  return adj;
}

}  // namespace

ConvTransposeArgs::ConvTransposeArgs(const OperatorArgs& args)
    : window(Window::read(args)),
      group(args.get("group", std::int64_t{1})),
      adj(read_adj(args)),
      relu(args.get("caffe2rt.relu", false)) {
  require(!window.global, ErrorCode::kArgument, "expected no argument 'global_pooling'");
  require(window.axes() == kAxes, ErrorCode::kArgument, "argument 'kernels': expected 2 numbers, got {}",
          window.axes());
  require(window.legacy_pad != LegacyPad::kCaffe, ErrorCode::kArgument,
          "argument 'legacy_pad': expected 0 to 2, got 3");
  require(group >= 1, ErrorCode::kArgument, "argument 'group': expected at least 1, got {}", group);
  require(adj.size() == kAxes, ErrorCode::kArgument, "argument 'adjs': expected 2 numbers, got {}",
          adj.size());
  for (size_t i = 0; i < kAxes; i++)
    require(adj[i] >= 0 && adj[i] < window.stride[i], ErrorCode::kArgument,
            "argument 'adj': expected at least 0 and less than the stride {}, got {}", window.stride[i],
            adj[i]);
  for (const auto p : window.pads)
    require(p >= 0, ErrorCode::kArgument, "argument 'pads': expected at least 0, got {}", p);
}

PartialShape ConvTransposeArgs::shape(PartialShapes in) const {
  const auto& x = in[kX];
  const auto& filter = in[kFilter];
  require_compatible("input 0 'X'", x, PartialShape({kUnknown, kUnknown, kUnknown, kUnknown}));
  const std::int64_t channels = window.channels(x), per_group = window.channels(filter);
  require(channels == kUnknown || (channels > 0 && channels % group == 0), ErrorCode::kShape,
          "input 0 'X': expected a number of channels that {} groups divide, got {}", group, channels);
  require_compatible("input 1 'filter'", filter, window.shape(channels, per_group, window.kernel));
  const std::int64_t filters = per_group == kUnknown ? kUnknown : per_group * group;
  if (in.size() > kBias) require_compatible("input 2 'bias'", in[kBias], {{filters}});
  std::vector<std::int64_t> spatial(kAxes, kUnknown);
  for (size_t i = 0; i < kAxes; i++) {
    const std::int64_t size = dim_or_unknown(x, window.order == StorageOrder::kNchw ? i + 2 : i + 1);
    if (size != kUnknown) spatial[i] = output_size(i, size);
  }
  return window.shape(dim_or_unknown(x, 0), filters, spatial);
}

at::Tensor ConvTransposeArgs::convolve(const at::Tensor& x, const at::Tensor& filter,
                                       const std::optional<at::Tensor>& bias) const {
  const std::vector<std::int64_t> front(window.pads.begin(), window.pads.begin() + kAxes);
  const std::vector<std::int64_t> behind(window.pads.begin() + kAxes, window.pads.end());
  const bool symmetric = front == behind;
  // Where the two sides differ the output is made whole, then cut; what `adj` adds is bias alone.
  const std::vector<std::int64_t> padding = symmetric ? front : std::vector<std::int64_t>(kAxes, 0);
  at::Tensor y =
      at::_convolution(x, filter, bias, window.stride, padding, std::vector<std::int64_t>(kAxes, 1),
                       /*transposed=*/true, adj, group, /*benchmark=*/false, /*deterministic=*/false,
                       /*cudnn_enabled=*/true, /*allow_tf32=*/false);
  if (symmetric) return y;
  return at::constant_pad_nd(y, std::vector<std::int64_t>{-front[1], -behind[1], -front[0], -behind[0]});
}

std::int64_t ConvTransposeArgs::output_size(size_t axis, std::int64_t size) const {
  const std::int64_t windows = (size - 1) * window.stride[axis] + window.kernel[axis] + adj[axis];
  const std::int64_t output = windows - window.pads[axis] - window.pads[kAxes + axis];
  require(size >= 1 && output >= 1, ErrorCode::kShape,
          "input 0 'X': expected more than {} elements along spatial axis {}: the padding leaves none", size,
          axis);
  return output;
}

namespace {

// An input pixel and the window's pixel that it is multiplied with, channel by channel.
struct Factors {
  const float *x, *w;
};

// kBlock channels from c on, whose sums stay in registers.
template <std::int64_t kBlock>
[[gnu::always_inline]] inline void sum_block(const std::vector<Factors>& factors, const float* bias,
                                             std::int64_t c, float* y) {
  float sums[kBlock];
  for (std::int64_t k = 0; k < kBlock; k++) sums[k] = bias[c + k];
  for (const Factors& f : factors)
    for (std::int64_t k = 0; k < kBlock; k++) sums[k] += f.x[c + k] * f.w[c + k];
  for (std::int64_t k = 0; k < kBlock; k++) y[c + k] = sums[k];
}

// y[c] = bias[c] + sum of x[c] * w[c] over all factors. The last block may overlap the one before it.
CAFFE2RT_VECTOR_CLONES
void sum_products(const std::vector<Factors>& factors, const float* bias, std::int64_t channels, float* y) {
  constexpr std::int64_t kWide = 64, kNarrow = 16;
  std::int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) sum_block<kWide>(factors, bias, c, y);
  if (channels >= kNarrow)
    for (; c < channels; c += kNarrow) sum_block<kNarrow>(factors, bias, std::min(c, channels - kNarrow), y);
  for (; c < channels; c++) sum_block<1>(factors, bias, c, y);
}

// Which input elements along an axis reach an output element, and by which element of the window.
struct Reach {
  std::int64_t input, kernel;
};
std::vector<Reach> reach(std::int64_t output, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                         std::int64_t pad) {
  std::vector<Reach> found;
  for (std::int64_t k = 0; k < kernel; k++) {
    const std::int64_t at = output + pad - k;
    if (at >= 0 && at % stride == 0 && at / stride < size) found.push_back({at / stride, k});
  }
  return found;
}

class ConvTranspose final : public Operator {
 public:
  enum Input { kX, kFilter, kBias };

  explicit ConvTranspose(const OperatorArgs& args) : args_(args) {}

  PartialShape shape(PartialShapes in) const { return args_.shape(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, in[kX].options());
      return;
    }
    const at::Tensor x = in_channels_last_memory(to_channels_first(in[kX], args_.window.order));
    const at::Tensor filter = in_channels_last_memory(to_channels_first(in[kFilter], args_.window.order));
    const auto bias = in.has(kBias) ? std::optional(in[kBias]) : std::nullopt;
    if (args_.group == x.size(1) && args_.group == y_channels(y_shape)) {
      at::Tensor y = at::empty(to_channels_first_shape(y_shape), x.options(), at::MemoryFormat::ChannelsLast);
      run_depthwise(x, filter, in.has(kBias) ? in[kBias].contiguous() : at::zeros({args_.group}), y);
      if (args_.relu) relu_into(y, y);
      out[0] = from_channels_first(y, args_.window.order);
      return;
    }
    const at::Tensor y = args_.convolve(x, filter, bias);
    if (args_.relu) relu_into(y, y);
    out[0] = from_channels_first(y, args_.window.order);
  }

 private:
  std::int64_t y_channels(const std::vector<std::int64_t>& y_shape) const {
    return args_.window.order == StorageOrder::kNchw ? y_shape[1] : y_shape[3];
  }
  std::vector<std::int64_t> to_channels_first_shape(const std::vector<std::int64_t>& s) const {
    return args_.window.order == StorageOrder::kNchw ? s : std::vector<std::int64_t>{s[0], s[3], s[1], s[2]};
  }

  // A group a channel, as bilinear upsampling is exported: x, y (N,C,H,W) in channels_last memory, filter
  // (C,1,KH,KW), bias (C) contiguous.
  void run_depthwise(const at::Tensor& x, const at::Tensor& filter, const at::Tensor& bias,
                     at::Tensor& y) const {
    const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3), lines = y.size(2),
                       pixels = y.size(3), kernel_w = args_.window.kernel[1];
    const at::Tensor weights = filter.reshape({channels, -1}).t().contiguous();  // (KH*KW,C)
    const auto* w = weights.const_data_ptr<float>();
    const auto* from = x.const_data_ptr<float>();
    auto* to = y.mutable_data_ptr<float>();
    std::vector<std::vector<Reach>> columns;
    for (std::int64_t i = 0; i < pixels; i++)
      columns.push_back(reach(i, width, kernel_w, args_.window.stride[1], args_.window.pads[1]));
    at::parallel_for(0, x.size(0) * lines, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Factors> factors;
      for (std::int64_t line = begin; line < end; line++) {
        const float* image = from + line / lines * height * width * channels;
        const auto rows =
            reach(line % lines, height, args_.window.kernel[0], args_.window.stride[0], args_.window.pads[0]);
        for (std::int64_t i = 0; i < pixels; i++) {
          factors.clear();
          for (const Reach& row : rows)
            for (const Reach& column : columns[i])
              factors.push_back({image + (row.input * width + column.input) * channels,
                                 w + (row.kernel * kernel_w + column.kernel) * channels});
          sum_products(factors, bias.const_data_ptr<float>(), channels, to + (line * pixels + i) * channels);
        }
      }
    });
  }

  const ConvTransposeArgs args_;
};

REGISTER_OPERATOR(ConvTranspose)
    .says("Transposed convolution: every input element adds the filter, scaled, to a window of the output.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
    .input("filter", "(C,M/group,KH,KW) float32, or (C,KH,KW,M/group)")
    .optional_input("bias", "(M) float32")
    .output("Y", "(N,M,OH,OW) float32, or (N,OH,OW,M)", infer::by(&ConvTranspose::shape))
    .args(Window::documentation())
    .arg("adj",
         "rows and columns added at the bottom and right, 0 by default: one number, or adj_h and adj_w, or "
         "adjs")
    .arg("caffe2rt.relu", "not in files: max(Y, 0) instead of Y; set by the pass fuse_relu");

}  // namespace
}  // namespace caffe2rt
