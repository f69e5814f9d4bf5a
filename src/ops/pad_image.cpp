// PadImage: Y[n,c,y,x] = X[n,c,y-top,x-left] with something where that is outside of X: a number (constant),
// the nearest pixel (edge), or the pixel as far inside as the place is outside (reflect). A negative padding
// cuts off.
//
// Source: the original's PadImage, which reads a reflection past the other side from memory that is not the
// image's: refused here.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <array>

#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Pads = std::array<std::int64_t, 4>;  // top, left, bottom, right

Pads read_pads(const OperatorArgs& args) {
  constexpr std::array kEach = {"pad_t", "pad_l", "pad_b", "pad_r"};
  constexpr std::int64_t kMost = 1 << 24;
  std::vector<std::int64_t> pads = args.ints("pads");
  if (pads.empty()) pads.assign(4, args.get("pad", std::int64_t{0}));
  if (!args.has("pads") && !args.has("pad") &&
      std::all_of(kEach.begin(), kEach.end(), [&](const char* name) { return args.has(name); }))
    for (size_t i = 0; i < 4; i++) pads[i] = args.get(kEach[i], std::int64_t{0});
  require(pads.size() == 4, ErrorCode::kArgument, "argument 'pads': expected 4 numbers, got {}", pads.size());
  for (const auto p : pads)
    require(p >= -kMost && p <= kMost, ErrorCode::kArgument, "argument 'pads': expected {} to {}, got {}",
            -kMost, kMost, p);
  return {pads[0], pads[1], pads[2], pads[3]};
}

class PadImage final : public Operator {
 public:
  enum Input { kX };

  explicit PadImage(const OperatorArgs& args)
      : order_(args.get("order", StorageOrder::kNchw)),
        mode_(args.get("mode", "constant")),
        value_(args.get("value", 0.0F)),
        pads_(read_pads(args)) {
    require(mode_ == "constant" || mode_ == "reflect" || mode_ == "edge", ErrorCode::kArgument,
            "argument 'mode': expected constant, reflect or edge, got '{}'", mode_);
    for (const char* name : {"stride", "stride_h", "stride_w", "dilation", "dilation_h", "dilation_w"})
      require(args.get(name, 1) == 1, ErrorCode::kArgument, "argument '{}': expected 1, got {}", name,
              args.get(name, 1));
    for (const char* name : {"legacy_pad", "global_pooling"})
      require(args.get(name, 0) == 0, ErrorCode::kArgument, "argument '{}': expected 0, got {}", name,
              args.get(name, 0));
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    std::vector<std::int64_t> y = *in[kX];
    require(y.size() == 4, ErrorCode::kShape, "input 0 'X': expected 4 dimensions, got {}",
            to_string(in[kX]));
    const size_t height = order_ == StorageOrder::kNchw ? 2 : 1;
    for (size_t i = 0; i < 2; i++)
      if (y[height + i] != kUnknown) y[height + i] = padded(y[height + i], pads_[i], pads_[i + 2]);
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    element_count(*shape(shapes_of(in)));
    const at::Tensor x = to_channels_first(in[kX], order_);
    const auto [top, left, bottom, right] = pads_;
    if (mode_ == "constant") {
      out[0] = from_channels_first(at::constant_pad_nd(x, {left, right, top, bottom}, value_), order_);
      return;
    }
    // Rows and columns where memory has them: a channels_last image stays one.
    const bool channels_last = !x.is_contiguous() && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    const std::int64_t height = channels_last ? 1 : 2;
    at::Tensor y = channels_last ? x.permute({0, 2, 3, 1}) : x;
    y = at::index_select(y, height, sources(x.size(2), top, bottom).to(x.device()));
    y = at::index_select(y, height + 1, sources(x.size(3), left, right).to(x.device()));
    out[0] = from_channels_first(channels_last ? y.permute({0, 3, 1, 2}) : y, order_);
  }

 private:
  // The size of an axis of Y. Throws Error(kShape) where X is too small.
  std::int64_t padded(std::int64_t size, std::int64_t before, std::int64_t after) const {
    const std::int64_t cut = std::max<std::int64_t>(-before, 0) + std::max<std::int64_t>(-after, 0);
    std::int64_t least = cut + 1;
    // How often the original reflects: once at the far side, and at the near one again what passed it.
    if (mode_ == "reflect") least = std::max({least, before / 2 + before % 2 + 1, after + 1});
    require(size >= least, ErrorCode::kShape,
            "input 0 'X': expected at least {} pixels along an axis padded by {} and {}, got {}", least,
            before, after, size);
    return size + before + after;
  }

  // Which row or column of X each one of Y shows.
  at::Tensor sources(std::int64_t size, std::int64_t before, std::int64_t after) const {
    std::vector<std::int64_t> from(static_cast<size_t>(size + before + after));
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(from.size()); i++) {
      const std::int64_t place = i - before;
      from[i] = mode_ == "edge" ? std::clamp<std::int64_t>(place, 0, size - 1)
                                : std::min(std::abs(place), 2 * (size - 1) - std::abs(place));
    }
    return at::tensor(from);
  }

  const StorageOrder order_;
  const std::string mode_;
  const float value_;
  const Pads pads_;
};

REGISTER_OPERATOR(PadImage)
    .says("Puts a border around images.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
    .output("Y", "(N,C,top+H+bottom,left+W+right) float32, or the same in NHWC", infer::by(&PadImage::shape))
    .arg("mode", "what the border shows: constant (default), reflect or edge")
    .arg("value", "with mode constant: the number, default 0")
    .arg("pad", "pixels on every side, default 0; pad_t, pad_l, pad_b and pad_r; or pads, in that order")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
