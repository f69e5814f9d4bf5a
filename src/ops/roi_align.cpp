// RoIAlign, RoIAlignRotated: Y[r,c,ph,pw] = mean of X[n_r,c,y,x] over samples (y,x) in bin (ph,pw) of region
// r, bilinear.
//
// Mask R-CNN (He et al., https://arxiv.org/abs/1703.06870); rotated: https://arxiv.org/abs/1703.01086. A bin
// becomes a list of pixels and weights, so that the inner loop runs over channels alone: the kernel works on
// channels_last memory.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>

#include "ops/roi_pooling.h"

namespace caffe2rt {
namespace {

template <class Region>
class RoIAlign final : public Operator {
 public:
  enum Input { kX, kRois };

  explicit RoIAlign(const OperatorArgs& args) : args_(args) {}

  PartialShape infer_pooled(PartialShapes in) const {
    const int64_t rois = dim_or_unknown(in[kRois], 0);
    if (args_.order == StorageOrder::kNhwc)
      return std::vector<int64_t>{rois, args_.pooled_h, args_.pooled_w, dim_or_unknown(in[kX], 3)};
    return std::vector<int64_t>{rois, dim_or_unknown(in[kX], 1), args_.pooled_h, args_.pooled_w};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    require_regions<Region>(in, kRois);
    const at::Tensor rois = in[kRois].contiguous();
    const bool nhwc = args_.order == StorageOrder::kNhwc;
    const at::Tensor x =
        (nhwc ? in[kX].permute({0, 3, 1, 2}) : in[kX]).contiguous(at::MemoryFormat::ChannelsLast);
    const std::array<int64_t, 4> shape = {rois.size(0), x.size(1), args_.pooled_h, args_.pooled_w};
    at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::ChannelsLast);
    auto* pooled = y.mutable_data_ptr<float>();
    const int64_t row = x.size(1) * args_.pooled_h * args_.pooled_w;
    at::parallel_for(0, rois.size(0), 1, [&](int64_t from, int64_t to) {
      RegionPooler<Region> pooler(args_, x);
      for (int64_t r = from; r < to; r++)
        pooler.pool(rois.const_data_ptr<float>(), r, rois.size(1), pooled + r * row);
    });
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }

 private:
  const PoolingArgs args_;
};

template <class Region>
SchemaBuilder describe(const char* type, const char* rois) {
  SchemaBuilder schema = describe_operator<RoIAlign<Region>>(type);
  schema.says("Pools each region of a feature map into bins of one size, by bilinear samples.")
      .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
      .input("RoIs", rois)
      .output(
          "Y",
          "(R,C,pooled_h,pooled_w) float32, or (R,pooled_h,pooled_w,C); not a number where a region is empty",
          infer::by(&RoIAlign<Region>::infer_pooled))
      .arg("order", "NCHW (default) or NHWC")
      .arg("spatial_scale", "pixels of X a pixel of the input, default 1")
      .arg("pooled_h", "bins in a column, default 1")
      .arg("pooled_w", "bins in a row, default 1")
      .arg("sampling_ratio", "samples along each side of a bin; 0 or less (default): one a pixel, rounded up")
      .arg("aligned",
           "1: pixel centres are at halves; 0 (default): at whole numbers, and no side is under a pixel");
  return schema;
}

const Registered roi_align(describe<UprightRegion>(
    "RoIAlign", "(R,5) float32: image, x1, y1, x2, y2 in pixels of the input; or (R,4)"));
const Registered roi_align_rotated(describe<RotatedRegion>(
    "RoIAlignRotated", "(R,6) float32: image, x, y, w, h, degrees counter-clockwise; or (R,5)"));

}  // namespace
}  // namespace caffe2rt
