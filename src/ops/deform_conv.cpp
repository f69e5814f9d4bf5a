// caffe2rt.DeformConv: Y[n,m,i] = bias[m] + sum over c, k of filter[m,c,k] * mask[n,k,i] * X(n, c, p +
// offset[n,k,i]), p = i*stride + k*dilation - pad, where X between pixels is interpolated bilinearly and is
// zero outside.
//
// An operator of our own: the original had one for CUDA only. Deformable convolutional networks,
// https://arxiv.org/abs/1703.06211, and with the mask version 2, https://arxiv.org/abs/1811.11168. Offsets
// lie as in detectron2's and torchvision's deform_conv2d.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <cmath>

#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

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

  void sample(float y, float x, float weight, std::int64_t first, std::int64_t count, float* out) const {
    std::fill_n(out, count, 0.0F);
    // Also where an offset is not a number.
    if (!(y > -1 && x > -1 && y < static_cast<float>(height) && x < static_cast<float>(width))) return;
    const float top = std::floor(y), left = std::floor(x), dy = y - top, dx = x - left;
    const auto row = static_cast<std::int64_t>(top), column = static_cast<std::int64_t>(left);
    add(row, column, weight * (1 - dy) * (1 - dx), first, count, out);
    add(row, column + 1, weight * (1 - dy) * dx, first, count, out);
    add(row + 1, column, weight * dy * (1 - dx), first, count, out);
    add(row + 1, column + 1, weight * dy * dx, first, count, out);
  }
};

class DeformConv final : public Operator {
 public:
  enum Input { kX, kOffset, kFilter, kBias, kMask };

  explicit DeformConv(const OperatorArgs& args)
      : window_(Window::read(args)),
        group_(args.get("group", std::int64_t{1})),
        deformable_group_(args.get("deformable_group", std::int64_t{1})) {
    require(window_.axes() == 2 && !window_.global && window_.order == StorageOrder::kNchw,
            ErrorCode::kArgument, "expected two spatial axes in NCHW order");
    require(group_ >= 1 && deformable_group_ >= 1, ErrorCode::kArgument,
            "arguments 'group' and 'deformable_group': expected at least 1, got {} and {}", group_,
            deformable_group_);
  }

  PartialShape shape(PartialShapes in) const {
    const std::int64_t channels = window_.channels(in[kX]), filters = dim_or_unknown(in[kFilter], 0);
    require(channels == kUnknown || (channels % group_ == 0 && channels % deformable_group_ == 0),
            ErrorCode::kShape,
            "input 0 'X': expected a number of channels that {} and {} groups divide, got {}", group_,
            deformable_group_, channels);
    require(filters == kUnknown || filters % group_ == 0, ErrorCode::kShape,
            "input 2 'filter': expected a number of filters that {} groups divide, got {}", group_, filters);
    require_compatible(
        "input 2 'filter'", in[kFilter],
        window_.shape(filters, channels == kUnknown ? kUnknown : channels / group_, window_.kernel));
    PartialShape y = window_.output_shape(in[kX], filters);
    const std::int64_t taps = deformable_group_ * window_.kernel[0] * window_.kernel[1];
    const auto one_each = [&](std::int64_t count) {
      return PartialShape{{dim_or_unknown(y, 0), count, dim_or_unknown(y, 2), dim_or_unknown(y, 3)}};
    };
    require_compatible("input 1 'offset'", in[kOffset], one_each(2 * taps));
    if (in.size() > kBias) require_compatible("input 3 'bias'", in[kBias], {{filters}});
    if (in.size() > kMask) require_compatible("input 4 'mask'", in[kMask], one_each(taps));
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    out[0] = at::empty(y_shape, in[kX].options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) == 0) return;
    const at::Tensor x = in[kX].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor offset = in[kOffset].contiguous();
    const at::Tensor mask = in.has(kMask) ? in[kMask].contiguous() : at::Tensor();
    const std::vector<at::Tensor> filters = filters_by_group(in[kFilter]);
    const std::int64_t pixels = y_shape[2] * y_shape[3];
    const Grid grid{y_shape[3], pixels, window_.along(0, x.size(2)).before,
                    window_.along(1, x.size(3)).before};
    for (std::int64_t n = 0; n < y_shape[0]; n++) {
      const Pixels image{x[n].const_data_ptr<float>(), x.size(2), x.size(3), x.size(1)};
      const float* offsets = offset[n].const_data_ptr<float>();
      const float* masks = mask.defined() ? mask[n].const_data_ptr<float>() : nullptr;
      const at::Tensor y = out[0].permute({0, 2, 3, 1})[n].view({pixels, y_shape[1]});
      at::parallel_for(0, pixels, kBlock, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode no_gradients;  // of this thread
        for (std::int64_t i = begin; i < end; i += kBlock) {
          const std::int64_t count = std::min(kBlock, end - i);
          at::Tensor rows = y.narrow(0, i, count);
          convolve(gather(image, offsets, masks, grid, i, count), filters, rows);
          if (in.has(kBias)) rows.add_(in[kBias]);
        }
      });
    }
  }

 private:
  static constexpr std::int64_t kBlock = 256;  // pixels whose taps are gathered at once: some MB

  // Output pixels of an image, and the padding of its input.
  struct Grid {
    std::int64_t width, pixels, pad_top, pad_left;
  };

  std::int64_t taps() const { return window_.kernel[0] * window_.kernel[1]; }

  // (taps * C/group, M/group) for each group, in the order in which gather() lays a pixel's taps.
  std::vector<at::Tensor> filters_by_group(const at::Tensor& filter) const {
    std::vector<at::Tensor> filters;
    for (const at::Tensor& part : filter.chunk(group_, 0))
      filters.push_back(part.permute({2, 3, 1, 0}).reshape({-1, part.size(0)}).contiguous());
    return filters;
  }

  // (count,taps,C): what each output pixel from `first` on reads, weighted by the mask.
  at::Tensor gather(const Pixels& image, const float* offset, const float* mask, const Grid& grid,
                    std::int64_t first, std::int64_t count) const {
    const std::int64_t pixels = grid.pixels, each = image.channels / deformable_group_;
    const std::array<std::int64_t, 3> shape = {count, taps(), image.channels};
    at::Tensor columns = at::empty(shape, at::TensorOptions(at::kFloat));
    auto* to = columns.mutable_data_ptr<float>();
    for (std::int64_t p = first; p < first + count; p++) {
      const std::int64_t row = p / grid.width * window_.stride[0] - grid.pad_top;
      const std::int64_t column = p % grid.width * window_.stride[1] - grid.pad_left;
      for (std::int64_t k = 0; k < taps(); k++) {
        const std::int64_t tap_row = k / window_.kernel[1], tap_column = k % window_.kernel[1];
        const auto y = static_cast<float>(row + tap_row * window_.dilation[0]);
        const auto x = static_cast<float>(column + tap_column * window_.dilation[1]);
        for (std::int64_t g = 0; g < deformable_group_; g++, to += each) {
          const std::int64_t tap = g * taps() + k;
          const float weight = mask ? mask[tap * pixels + p] : 1;
          image.sample(y + offset[2 * tap * pixels + p], x + offset[(2 * tap + 1) * pixels + p], weight,
                       g * each, each, to);
        }
      }
    }
    return columns;
  }

  // Writes the products of gathered taps and filters into `rows`, (count,M).
  static void convolve(const at::Tensor& columns, const std::vector<at::Tensor>& filters, at::Tensor& rows) {
    const auto groups = static_cast<std::int64_t>(filters.size());
    const std::int64_t inputs = columns.size(2) / groups, outputs = rows.size(1) / groups;
    for (std::int64_t g = 0; g < groups; g++) {
      at::Tensor part = rows.narrow(1, g * outputs, outputs);
      const at::Tensor taps = columns.narrow(2, g * inputs, inputs).reshape({columns.size(0), -1});
      if (groups == 1)
        at::mm_out(part, taps, filters[g]);
      else
        part.copy_(at::mm(taps, filters[g]));
    }
  }

  const Window window_;
  const std::int64_t group_, deformable_group_;
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
}  // namespace caffe2rt
