// caffe2rt.Interpolate: images scaled as torch.nn.functional.interpolate does it, by factors or to the size
// of another.
//
//   nearest    Y[..,y,x] = X[..,floor(y*H/H'),floor(x*W/W')]
//   bilinear   between the four pixels around ((y+0.5)*H/H'-0.5, (x+0.5)*W/W'-0.5), or (y*(H-1)/(H'-1), ...)
//   with align_corners
//
// An operator of our own: the original's UpsampleBilinear aligns corners, and neither it nor ResizeNearest
// takes a size from another blob. With factors H' is int(H*height_scale) and H/H' is 1/height_scale, as
// PyTorch has it.
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Interpolate final : public Operator {
 public:
  enum Input { kX, kLike };

  explicit Interpolate(const OperatorArgs& args)
      : bilinear_(is_bilinear(args.get("mode", "nearest"))),
        align_corners_(args.get("align_corners", false)),
        scales_{args.get("height_scale", 0.0F), args.get("width_scale", 0.0F)},
        like_(args.num_inputs() > kLike) {
    require(bilinear_ || !align_corners_, ErrorCode::kArgument, "align_corners: expected mode bilinear");
    const bool scaled = scales_[0] != 0 || scales_[1] != 0;
    require(scaled != like_, ErrorCode::kArgument, "expected either an input 'like' or scales, got {}",
            like_ ? "both" : "neither");
    for (const double s : scales_)
      require(like_ || (s > 0 && s <= 1024), ErrorCode::kArgument,
              "expected scales above 0 and at most 1024, got height {} and width {}", scales_[0], scales_[1]);
  }

  PartialShape output_shape(PartialShapes in) const {
    if (!in[kX]) return {};
    std::vector<std::int64_t> shape = *in[kX];
    require(shape.size() == 4, ErrorCode::kShape, "input 0 'X': expected 4 dimensions, got {}",
            to_string(in[kX]));
    for (std::size_t i = 0; i < 2; i++)
      shape[2 + i] = like_ ? dim_or_unknown(in[kLike], 2 + i) : resized(shape[2 + i], scales_[i]);
    return shape;
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    if (like_) require_rank(in, kLike, 4);
    const at::Tensor& x = in[kX];
    std::array<std::int64_t, 2> size{};
    std::array<std::optional<double>, 2> scales{};
    for (std::size_t i = 0; i < 2; i++) {
      const auto axis = static_cast<std::int64_t>(2 + i);
      size[i] = like_ ? in[kLike].size(axis) : resized(x.size(axis), scales_[i]);
      if (!like_) scales[i] = scales_[i];
      require(x.size(axis) > 0 && size[i] > 0, ErrorCode::kShape,
              "{}: expected images of at least one pixel before and after, got {} pixels to make {} of",
              in.describe(kX), x.size(axis), size[i]);
    }
    if (x.numel() == 0)
      out[0] = x.new_empty({x.size(0), x.size(1), size[0], size[1]});
    else if (bilinear_)
      out[0] = at::upsample_bilinear2d(x, size, align_corners_, scales[0], scales[1]);
    else
      out[0] = at::upsample_nearest2d(x, size, scales[0], scales[1]);
  }

 private:
  static bool is_bilinear(const std::string& mode) {
    require(mode == "nearest" || mode == "bilinear", ErrorCode::kArgument,
            "mode: expected nearest or bilinear, got '{}'", mode);
    return mode == "bilinear";
  }

  // PyTorch's scale is a double: 1.3 as a float is less, and ten pixels would become twelve.
  static std::int64_t resized(std::int64_t size, double scale) {
    constexpr double kRounding = 1.0F + std::numeric_limits<float>::epsilon();
    return size == kUnknown
               ? kUnknown
               : static_cast<std::int64_t>(std::floor(static_cast<double>(size) * scale * kRounding));
  }

  const bool bilinear_, align_corners_;
  const std::array<double, 2> scales_;
  const bool like_;
};

REGISTER_OPERATOR_AS("caffe2rt.Interpolate", Interpolate)
    .says("Scales images as PyTorch's interpolate does.")
    .input("X", "(N,C,H,W) float32")
    .optional_input("like", "(N,C,H',W'), whose size the result gets, instead of scales")
    .output("Y", "(N,C,H',W') float32", infer::by(&Interpolate::output_shape))
    .arg("mode", "nearest (default) or bilinear")
    .arg("align_corners", "of bilinear: 1 where the corner pixels stay in place; default 0")
    .arg("height_scale", "H'/H")
    .arg("width_scale", "W'/W")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
