// caffe2rt.DeformConv: Y[n,m,i] = bias[m] + sum over c, k of filter[m,c,k] * mask[n,k,i] * X(n, c, p +
// offset[n,k,i]), p = i*stride + k*dilation - pad, where X between pixels is interpolated bilinearly and is
// zero outside.
//
// An operator of our own: the original had one for CUDA only. Deformable convolutional networks,
// https://arxiv.org/abs/1703.06211, and with the mask version 2, https://arxiv.org/abs/1811.11168. Offsets
// lie as in detectron2's and torchvision's deform_conv2d.
#include "ops/deform_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>

#include <array>

namespace caffe2rt {
namespace {

using Args = DeformConvArgs;

// An image in (H,W,C) order.
struct Pixels {
  const float* data;
  std::int64_t height, width, channels;

  // Adds weight * pixel(y,x)[first..first+count) to out; nothing outside.
  void add(std::int64_t y, std::int64_t x, float weight, std::int64_t first, std::int64_t count,
           float* out) const {
    if (y < 0 || x < 0 || y >= height || x >= width) return;
    const float* pixel = data + (y * width + x) * channels + first;
    for (std::int64_t c = 0; c < count; c++) out[c] += weight * pixel[c];
  }

  void sample(const DeformTap& tap, std::int64_t first, std::int64_t count, float* out) const {
    std::fill_n(out, count, 0.0F);
    if (!tap.inside) return;
    for (int i = 0; i < 4; i++) add(tap.row + i / 2, tap.column + i % 2, tap.weights[i], first, count, out);
  }
};

class DeformConv final : public Operator {
 public:
  explicit DeformConv(const OperatorArgs& args) : args_(args) {}

  PartialShape shape(PartialShapes in) const { return args_.shape(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    out[0] = at::empty(y_shape, in[Args::kX].options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) == 0) return;
    const at::Tensor x = in[Args::kX].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor offset = in[Args::kOffset].contiguous();
    const at::Tensor mask = in.has(Args::kMask) ? in[Args::kMask].contiguous() : at::Tensor();
    const at::Tensor filter = in[Args::kFilter].contiguous(at::MemoryFormat::ChannelsLast);
    const DeformGrid grid = args_.grid(x.size(2), x.size(3), y_shape[3]);
    const std::int64_t windows = y_shape[2] * y_shape[3];
    for (std::int64_t n = 0; n < y_shape[0]; n++) {
      const Pixels image{x[n].const_data_ptr<float>(), x.size(2), x.size(3), x.size(1)};
      const float* offsets = offset[n].const_data_ptr<float>();
      const float* masks = mask.defined() ? mask[n].const_data_ptr<float>() : nullptr;
      const at::Tensor y = out[0].permute({0, 2, 3, 1})[n].view({windows, y_shape[1]});
      at::parallel_for(0, windows, kBlock, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode no_gradients;  // of this thread
        for (std::int64_t i = begin; i < end; i += kBlock) {
          const std::int64_t count = std::min(kBlock, end - i);
          at::Tensor rows = y.narrow(0, i, count);
          args_.multiply(gather(image, offsets, masks, grid, i, count), filter, rows);
          if (in.has(Args::kBias)) rows.add_(in[Args::kBias]);
        }
      });
    }
  }

 private:
  static constexpr std::int64_t kBlock = 256;  // windows whose taps are gathered at once: some MB

  // (count,taps,C): what each window from `first` on reads, weighted by the mask.
  at::Tensor gather(const Pixels& image, const float* offset, const float* mask, const DeformGrid& grid,
                    std::int64_t first, std::int64_t count) const {
    const std::int64_t each = image.channels / args_.deformable_group;
    const std::array<std::int64_t, 3> shape = {count, grid.taps, image.channels};
    at::Tensor columns = at::empty(shape, at::TensorOptions(at::kFloat));
    auto* to = columns.mutable_data_ptr<float>();
    for (std::int64_t window = first; window < first + count; window++)
      for (int k = 0; k < grid.taps; k++)
        for (int g = 0; g < args_.deformable_group; g++, to += each)
          image.sample(grid.tap(window, g, k, offset, mask), g * each, each, to);
    return columns;
  }

  const DeformConvArgs args_;
};

REGISTER_OPERATOR_AS("caffe2rt.DeformConv", DeformConv)
    .says("Convolution whose taps are moved by offsets, and weighted by a mask where there is one.")
    .input("X", "(N,C,H,W) float32")
    .input("offset",
           "(N,2*deformable_group*KH*KW,OH,OW) float32, pixels: for each tap how far down, then right")
    .input("filter", "(M,C/group,KH,KW) float32")
    .optional_input("bias", "(M) float32")
    .optional_input("mask", "(N,deformable_group*KH*KW,OH,OW) float32")
    .output("Y", "(N,M,OH,OW) float32", infer::by(&DeformConv::shape))
    .args(Window::documentation())
    .arg("deformable_group", "groups of channels that have offsets of their own, default 1");

}  // namespace

DeformConvArgs::DeformConvArgs(const OperatorArgs& args)
    : window(Window::read(args)),
      group(args.get("group", std::int64_t{1})),
      deformable_group(args.get("deformable_group", std::int64_t{1})) {
  require(window.axes() == 2 && !window.global && window.order == StorageOrder::kNchw, ErrorCode::kArgument,
          "expected two spatial axes in NCHW order");
  require(group >= 1 && deformable_group >= 1, ErrorCode::kArgument,
          "arguments 'group' and 'deformable_group': expected at least 1, got {} and {}", group,
          deformable_group);
}

PartialShape DeformConvArgs::shape(PartialShapes in) const {
  const std::int64_t channels = window.channels(in[kX]), filters = dim_or_unknown(in[kFilter], 0);
  require(channels == kUnknown || (channels % group == 0 && channels % deformable_group == 0),
          ErrorCode::kShape,
          "input 0 'X': expected a number of channels that {} and {} groups divide, got {}", group,
          deformable_group, channels);
  require(filters == kUnknown || filters % group == 0, ErrorCode::kShape,
          "input 2 'filter': expected a number of filters that {} groups divide, got {}", group, filters);
  require_compatible(
      "input 2 'filter'", in[kFilter],
      window.shape(filters, channels == kUnknown ? kUnknown : channels / group, window.kernel));
  PartialShape y = window.output_shape(in[kX], filters);
  const std::int64_t taps = deformable_group * window.kernel[0] * window.kernel[1];
  const auto one_each = [&](std::int64_t count) {
    return PartialShape{{dim_or_unknown(y, 0), count, dim_or_unknown(y, 2), dim_or_unknown(y, 3)}};
  };
  require_compatible("input 1 'offset'", in[kOffset], one_each(2 * taps));
  if (in.size() > kBias) require_compatible("input 3 'bias'", in[kBias], {{filters}});
  if (in.size() > kMask) require_compatible("input 4 'mask'", in[kMask], one_each(taps));
  return y;
}

DeformGrid DeformConvArgs::grid(std::int64_t height, std::int64_t width, std::int64_t columns) const {
  const WindowAxis down = window.along(0, height), across = window.along(1, width);
  DeformGrid grid;
  grid.height = static_cast<int>(height);
  grid.width = static_cast<int>(width);
  grid.columns = static_cast<int>(columns);
  grid.windows = down.windows * across.windows;
  grid.kernel_width = static_cast<int>(window.kernel[1]);
  grid.taps = static_cast<int>(taps());
  for (const size_t axis : {0, 1}) {
    grid.stride[axis] = static_cast<int>(window.stride[axis]);
    grid.dilation[axis] = static_cast<int>(window.dilation[axis]);
  }
  grid.pad[0] = static_cast<int>(down.before);
  grid.pad[1] = static_cast<int>(across.before);
  return grid;
}

void DeformConvArgs::multiply(const at::Tensor& taps, const at::Tensor& filter, at::Tensor& rows) const {
  const std::int64_t inputs = taps.size(2) / group, outputs = rows.size(1) / group;
  for (std::int64_t g = 0; g < group; g++) {
    // In the order of a window's taps.
    const at::Tensor factors =
        filter.narrow(0, g * outputs, outputs).permute({0, 2, 3, 1}).reshape({outputs, -1}).t();
    const at::Tensor of_group = taps.narrow(2, g * inputs, inputs).reshape({taps.size(0), -1});
    at::Tensor part = rows.narrow(1, g * outputs, outputs);
    if (group == 1)
      at::mm_out(part, of_group, factors);
    else
      part.copy_(at::mm(of_group, factors));
  }
}

}  // namespace caffe2rt
