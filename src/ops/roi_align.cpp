// RoIAlign, RoIAlignRotated: Y[r,c,ph,pw] = mean of X[n_r,c,y,x] over samples (y,x) in bin (ph,pw) of region
// r, bilinear.
//
// Mask R-CNN (He et al., https://arxiv.org/abs/1703.06870); rotated: https://arxiv.org/abs/1703.01086. A bin
// becomes a list of pixels and weights, so that the inner loop runs over channels alone: the kernel works on
// channels_last memory.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>

#include "ops/bias.h"
#include "ops/roi_pooling.h"

namespace caffe2rt {
namespace {

template <class Region>
class RoIAlign final : public Operator {
 public:
  enum Input { kX, kRois, kBias };

  explicit RoIAlign(const OperatorArgs& args)
      : args_(args),
        bins_{.stride_h = args.get("caffe2rt.stride_h", 1),
              .stride_w = args.get("caffe2rt.stride_w", 1),
              .relu = args.get("caffe2rt.relu", false)} {
    require(bins_.stride_h > 0 && bins_.stride_w > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.stride_h' and 'caffe2rt.stride_w': expected at least 1, got {} and {}",
            bins_.stride_h, bins_.stride_w);
  }

  PartialShape infer_pooled(PartialShapes in) const {
    const int64_t rois = dim_or_unknown(in[kRois], 0), height = rows(), width = columns();
    if (args_.order == StorageOrder::kNhwc)
      return std::vector<int64_t>{rois, height, width, dim_or_unknown(in[kX], 3)};
    return std::vector<int64_t>{rois, dim_or_unknown(in[kX], 1), height, width};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    require_regions<Region>(in, kRois);
    const at::Tensor rois = in[kRois].contiguous();
    const bool nhwc = args_.order == StorageOrder::kNhwc;
    const at::Tensor x =
        (nhwc ? in[kX].permute({0, 3, 1, 2}) : in[kX]).contiguous(at::MemoryFormat::ChannelsLast);
    BinArgs bins = bins_;
    if (in.has(kBias)) require_shape(in, kBias, {x.size(1)});
    const Bias bias(in, kBias);
    bins.bias = bias.data();
    const std::array<int64_t, 4> shape = {rois.size(0), x.size(1), rows(), columns()};
    at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::ChannelsLast);
    auto* pooled = y.mutable_data_ptr<float>();
    const int64_t row = shape[1] * shape[2] * shape[3];
    at::parallel_for(0, rois.size(0), 1, [&](int64_t from, int64_t to) {
      RegionPooler<Region> pooler(args_, x, bins);
      for (int64_t r = from; r < to; r++)
        pooler.pool(rois.const_data_ptr<float>(), r, rois.size(1), pooled + r * row);
    });
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }

 private:
  // Bins that are written.
  int64_t rows() const { return (args_.pooled_h - 1) / bins_.stride_h + 1; }
  int64_t columns() const { return (args_.pooled_w - 1) / bins_.stride_w + 1; }

  const PoolingArgs args_;
  const BinArgs bins_;
};

template <class Region>
SchemaBuilder describe(const char* type, const char* rois) {
  SchemaBuilder schema = describe_operator<RoIAlign<Region>>(type);
  schema.says("Pools each region of a feature map into bins of one size, by bilinear samples.")
      .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
      .input("RoIs", rois)
      .optional_input("bias", "not in files: (C) float32, added to Y; set by the pass pool_later")
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
           "1: pixel centres are at halves; 0 (default): at whole numbers, and no side is under a pixel")
      .arg("caffe2rt.stride_h",
           "set by the pass pool_later: only every so many of the rows of bins; default 1")
      .arg("caffe2rt.stride_w", "the same of the columns; default 1")
      .arg("caffe2rt.relu", "set by the pass pool_later: 1: negative numbers of Y are 0; default 0");
  return schema;
}

const Registered roi_align(describe<UprightRegion>(
    "RoIAlign", "(R,5) float32: image, x1, y1, x2, y2 in pixels of the input; or (R,4)"));
const Registered roi_align_rotated(describe<RotatedRegion>(
    "RoIAlignRotated", "(R,6) float32: image, x, y, w, h, degrees counter-clockwise; or (R,5)"));

}  // namespace
}  // namespace caffe2rt
