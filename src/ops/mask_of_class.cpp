// caffe2rt.MaskOfClass: Y[r,0,h,w] = bias[k] + sum over c of X[r,c,h,w] * filter[k,c], where k is the class
// of region r. The pass pick_masks makes it of a Conv that computes this for every class.
#include "ops/mask_of_class.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/empty.h>

namespace caffe2rt {
namespace {

using Args = MaskOfClassArgs;

class MaskOfClass final : public Operator {
 public:
  explicit MaskOfClass(const OperatorArgs& /*args*/) {}

  PartialShape shape(PartialShapes in) const { return Args::shape(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const PartialShape y_shape = shape(shapes_of(in));
    const at::Tensor& x = in[Args::kX];
    const std::int64_t regions = x.size(0), channels = x.size(1), filters = in[Args::kFilter].size(0);
    if (x.numel() == 0) {
      out[0] = at::empty(*y_shape, x.options());
      return;
    }
    const at::Tensor classes = in[Args::kClasses].to(at::kLong);
    check(classes, filters);
    const at::Tensor filter = in[Args::kFilter].reshape({filters, channels}).index_select(0, classes),
                     bias = in[Args::kBias].index_select(0, classes);
    const at::Tensor pixels = x.permute({0, 2, 3, 1}).reshape({regions, -1, channels});
    out[0] = at::baddbmm(bias.view({regions, 1, 1}), pixels, filter.unsqueeze(2)).view(*y_shape);
  }

 private:
  static void check(const at::Tensor& classes, std::int64_t filters) {
    for (std::int64_t r = 0; r < classes.numel(); r++) {
      const std::int64_t k = classes.const_data_ptr<std::int64_t>()[r];
      require(k >= 0 && k < filters, ErrorCode::kShape,
              "input 3 'classes': expected classes from 0 to {}, got {} of region {}", filters - 1, k, r);
    }
  }
};

REGISTER_OPERATOR_AS("caffe2rt.MaskOfClass", MaskOfClass)
    .says("Convolution of each region with the filter of its class, with a window of one pixel.")
    .input("X", "(R,C,H,W) float32")
    .input("filter", "(K,C,1,1) float32, one a class")
    .input("bias", "(K) float32")
    .input("classes", "(R) float32, from 0 to K - 1")
    .output("Y", "(R,1,H,W) float32", infer::by(&MaskOfClass::shape));

}  // namespace
}  // namespace caffe2rt
