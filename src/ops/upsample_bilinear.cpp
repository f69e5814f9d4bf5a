// UpsampleBilinear: Y = X in another size, its corner pixels on X's corner pixels and the others between by
// bilinear interpolation.
//
// Source: the original's UpsampleBilinear, which takes an image for NCHW whatever `order` says.
#include <ATen/ops/empty.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "ops/resize_scales.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class UpsampleBilinear final : public Operator {
 public:
  enum Input { kX };

  explicit UpsampleBilinear(const OperatorArgs& args) : scales_(args) {}

  PartialShape shape(PartialShapes in) const { return scales_.shape(in, 2); }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    const at::Tensor& x = in[kX];
    const auto scales = scales_.of(in);
    const std::vector<std::int64_t> size = {ResizeScales::resized(x.size(2), scales.height),
                                            ResizeScales::resized(x.size(3), scales.width)};
    const std::vector<std::int64_t> y_shape = {x.size(0), x.size(1), size[0], size[1]};
    out[0] = element_count(y_shape) == 0 ? at::empty(y_shape, x.options())
                                         : at::upsample_bilinear2d(x, size, /*align_corners=*/true);
  }

 private:
  const ResizeScales scales_;
};

REGISTER_OPERATOR(UpsampleBilinear)
    .says("Scales images by bilinear interpolation, corners on corners.")
    .input("X", "(N,C,H,W) float32")
    .optional_input("scales", "(2) float32: height_scale, width_scale, instead of the arguments")
    .output("Y", "(N,C,int(H*height_scale),int(W*width_scale)) float32", infer::by(&UpsampleBilinear::shape))
    .arg("height_scale", "default 1")
    .arg("width_scale", "default 1")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
