#include "ops/window.h"

#include <ATen/ops/constant_pad_nd.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace caffe2rt {
namespace {

// Past any image, and far from where sums of a few such numbers overflow.
constexpr std::int64_t kMost = std::int64_t{1} << 24;

// A list `NAMEs`; else one number `NAME` for every axis, or one an axis where all of `each` are given. Where
// the list comes with the single number, the list is read, as in the original.
std::vector<std::int64_t> read_list(const OperatorArgs& args, const char* list, const char* single,
                                    std::span<const char* const> each) {
  std::vector<std::int64_t> values = args.ints(list);
  if (args.has(single))
    values.resize(each.size(), args.get(single, std::int64_t{0}));
  else if (std::all_of(each.begin(), each.end(), [&](const char* name) { return args.has(name); }))
    for (const char* name : each) values.push_back(args.get(name, std::int64_t{0}));
  return values;
}

void check_list(const char* name, const std::vector<std::int64_t>& values, size_t count, std::int64_t least) {
  require(values.size() == count, ErrorCode::kArgument, "argument '{}': expected {} numbers, got {}", name,
          count, values.size());
  for (const auto v : values)
    require(v >= least && v <= kMost, ErrorCode::kArgument, "argument '{}': expected {} to {}, got {}", name,
            least, kMost, v);
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

std::vector<std::int64_t> permutation(std::int64_t rank, bool to_first) {
  std::vector<std::int64_t> axes = {0};
  if (to_first) axes.push_back(rank - 1);
  for (std::int64_t d = to_first ? 1 : 2; d < rank - (to_first ? 1 : 0); d++) axes.push_back(d);
  if (!to_first) axes.push_back(1);
  return axes;
}

}  // namespace

std::vector<Schema::Arg> Window::documentation() {
  return {
      {"kernel", "size of the window: one number, or kernel_h and kernel_w, or kernels"},
      {"stride", "step of the window, 1 by default: one number, or stride_h and stride_w, or strides"},
      {"dilation",
       "step inside the window, 1 by default: one number, or dilation_h and dilation_w, or dilations"},
      {"pad",
       "padding, 0 by default: one number, or pad_t, pad_l, pad_b and pad_r, or pads (all fronts, then all "
       "ends)"},
      {"legacy_pad",
       "0: as pad says (default), 1: VALID, none, 2: SAME, 3: sizes rounded up as Caffe's pools do"},
      {"global_pooling", "1: one window over the whole image (pools only)"},
      {"group", "number of groups of channels, 1 by default (convolutions only)"},
      {"order", "NCHW (default) or NHWC"},
  };
}

Window Window::read(const OperatorArgs& args) {
  static constexpr std::array kKernel = {"kernel_h", "kernel_w"}, kStride = {"stride_h", "stride_w"},
                              kDilation = {"dilation_h", "dilation_w"};
  static constexpr std::array kPad = {"pad_t", "pad_l", "pad_b", "pad_r"};
  Window w;
  w.order = args.get("order", StorageOrder::kNchw);
  w.global = args.get("global_pooling", false);
  const int legacy = args.get("legacy_pad", 0);
  require(legacy >= 0 && legacy <= 3, ErrorCode::kArgument, "argument 'legacy_pad': expected 0 to 3, got {}",
          legacy);
  w.legacy_pad = static_cast<LegacyPad>(legacy);
  w.kernel = read_list(args, "kernels", "kernel", kKernel);
  w.stride = read_list(args, "strides", "stride", kStride);
  w.dilation = read_list(args, "dilations", "dilation", kDilation);
  w.pads = read_list(args, "pads", "pad", kPad);
  require(w.pads.empty() || (w.legacy_pad != LegacyPad::kValid && w.legacy_pad != LegacyPad::kSame),
          ErrorCode::kArgument, "expected no padding beside legacy_pad 1 or 2, got both");
  if (w.global) {
    const auto all = [](const std::vector<std::int64_t>& values, std::int64_t value) {
      return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == value; });
    };
    require(all(w.pads, 0) && all(w.stride, 1) && all(w.dilation, 1), ErrorCode::kArgument,
            "expected neither padding, stride nor dilation beside global_pooling");
    return w;
  }
  require(!w.kernel.empty(), ErrorCode::kArgument,
          "expected argument 'kernel', 'kernels', or 'kernel_h' and 'kernel_w'");
  require(w.axes() <= 3, ErrorCode::kArgument, "argument 'kernels': expected 1 to 3 numbers, got {}",
          w.axes());
  if (w.stride.empty()) w.stride.assign(w.axes(), 1);
  if (w.dilation.empty()) w.dilation.assign(w.axes(), 1);
  if (w.pads.empty()) w.pads.assign(2 * w.axes(), 0);
  check_list("kernels", w.kernel, w.axes(), 1);
  check_list("strides", w.stride, w.axes(), 1);
  check_list("dilations", w.dilation, w.axes(), 1);
  check_list("pads", w.pads, 2 * w.axes(), -kMost);
  // The original counts windows without dilation there and then reads its own buffers crosswise.
  require((w.legacy_pad != LegacyPad::kSame && w.legacy_pad != LegacyPad::kCaffe) ||
              *std::max_element(w.dilation.begin(), w.dilation.end()) == 1,
          ErrorCode::kArgument, "expected no dilation beside legacy_pad 2 or 3, got both");
  return w;
}

WindowAxis Window::along(size_t axis, std::int64_t size) const {
  const std::int64_t reach = dilation[axis] * (kernel[axis] - 1) + 1, step = stride[axis];
  WindowAxis a;
  a.before = pads[axis];
  std::int64_t least = 1;  // size of input
  switch (legacy_pad) {
    case LegacyPad::kNotSet:
      least = std::max(least, reach - a.before - pads[axes() + axis]);
      a.windows = (size + a.before + pads[axes() + axis] - reach) / step + 1;
      break;
    case LegacyPad::kValid:
      a.windows = (size - reach) / step + 1;
      break;
    case LegacyPad::kSame:
      a.windows = divide_up(size, step);
      a.before = ((a.windows - 1) * step + reach - size) / 2;
      break;
    case LegacyPad::kCaffe:
      a.windows = divide_up(size + 2 * a.before - reach, step) + 1;
      if (a.before > 0 && (a.windows - 1) * step >= size + a.before) a.windows--;
      break;
  }
  require(size >= least && a.windows >= 0, ErrorCode::kShape,
          "input 0 'X': expected at least {} elements along spatial axis {}, got {}: the window is {}", least,
          axis, size, reach);
  a.after = (a.windows - 1) * step + reach - size - a.before;
  return a;
}

std::vector<WindowAxis> Window::along(const at::Tensor& x) const {
  std::vector<WindowAxis> all;
  for (size_t i = 0; i < axes(); i++) all.push_back(along(i, x.size(static_cast<std::int64_t>(i) + 2)));
  return all;
}

std::vector<std::int64_t> Window::shape(std::int64_t n, std::int64_t c,
                                        std::span<const std::int64_t> spatial) const {
  std::vector<std::int64_t> s = {n};
  if (order == StorageOrder::kNchw) s.push_back(c);
  s.insert(s.end(), spatial.begin(), spatial.end());
  if (order == StorageOrder::kNhwc) s.push_back(c);
  return s;
}

std::int64_t Window::channels(const PartialShape& x) const {
  return dim_or_unknown(x, order == StorageOrder::kNchw ? 1 : axes() + 1);
}

PartialShape Window::output_shape(const PartialShape& x, std::int64_t channels) const {
  std::vector<std::int64_t> spatial(axes(), kUnknown);
  require_compatible("input 0 'X'", x, shape(kUnknown, kUnknown, spatial));
  for (size_t i = 0; i < axes(); i++) {
    const std::int64_t size = dim_or_unknown(x, order == StorageOrder::kNchw ? i + 2 : i + 1);
    if (size != kUnknown) spatial[i] = along(i, size).windows;
  }
  return shape(dim_or_unknown(x, 0), channels, spatial);
}

at::Tensor to_channels_first(const at::Tensor& x, StorageOrder order) {
  return order == StorageOrder::kNchw ? x : x.permute(permutation(x.dim(), true));
}

at::Tensor from_channels_first(const at::Tensor& x, StorageOrder order) {
  return order == StorageOrder::kNchw ? x : x.permute(permutation(x.dim(), false));
}

at::Tensor in_channels_last_memory(const at::Tensor& x) {
  if (x.dim() == 4) return x.contiguous(at::MemoryFormat::ChannelsLast);
  if (x.dim() == 5) return x.contiguous(at::MemoryFormat::ChannelsLast3d);
  return x.contiguous();
}

at::Tensor pad(const at::Tensor& x, std::span<const WindowAxis> axes, float value) {
  std::vector<std::int64_t> amounts;  // from the last axis
  for (auto a = axes.rbegin(); a != axes.rend(); ++a) amounts.insert(amounts.end(), {a->before, a->after});
  return at::constant_pad_nd(x, amounts, value);
}

std::optional<std::vector<std::int64_t>> symmetric_padding(const Window& window, const at::Tensor& x,
                                                           std::span<const WindowAxis> axes) {
  std::vector<std::int64_t> padding;
  for (size_t i = 0; i < axes.size(); i++) {
    const std::int64_t reach = window.dilation[i] * (window.kernel[i] - 1) + 1, before = axes[i].before;
    const std::int64_t room = x.size(static_cast<std::int64_t>(i) + 2) + 2 * before - reach;
    if (before < 0 || room < 0 || room / window.stride[i] + 1 != axes[i].windows) return std::nullopt;
    padding.push_back(before);
  }
  return padding;
}

}  // namespace caffe2rt
