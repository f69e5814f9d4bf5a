// caffe2rt.NumberRegions: Y[r] = (n, X[r]) for the image n that row r belongs to: splits[0] rows of image 0,
// then splits[1] rows of image 1, and so on.
//
// An operator of our own. Exporters hand boxes without an image number from BoxWithNMSLimit to the RoIAlign
// of the mask and keypoint heads, which reads them as regions of image 0; the pass number_regions puts this
// in between.
#include <ATen/ops/empty.h>

#include <array>

#include "ops/box_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class NumberRegions final : public Operator {
 public:
  enum Input { kBoxes, kSplits };

  explicit NumberRegions(const OperatorArgs&) {}

  PartialShape output_shape(PartialShapes in) const {
    const std::int64_t columns = dim_or_unknown(in[kBoxes], 1);
    return std::vector<std::int64_t>{dim_or_unknown(in[kBoxes], 0),
                                     columns == kUnknown ? kUnknown : columns + 1};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kBoxes, 2);
    require_rank(in, kSplits, 1);
    const at::Tensor boxes = in[kBoxes].contiguous(), splits = in[kSplits].contiguous();
    const std::int64_t rows = boxes.size(0), columns = boxes.size(1);
    const std::array<std::int64_t, 2> shape = {rows, columns + 1};
    out[0] = at::empty(shape, boxes.options());
    const auto* from = boxes.const_data_ptr<float>();
    auto* to = out[0].mutable_data_ptr<float>();
    std::int64_t row = 0;
    for (std::int64_t n = 0; n < splits.size(0); n++) {
      const auto count = static_cast<std::int64_t>(splits.const_data_ptr<float>()[n]);
      require(count >= 0 && count <= rows - row, ErrorCode::kShape, "{}: more rows than the {} of {}",
              in.describe(kSplits), rows, in.describe(kBoxes));
      for (const std::int64_t end = row + count; row < end; row++, from += columns) {
        *to++ = static_cast<float>(n);
        to = std::copy_n(from, columns, to);
      }
    }
    require(row == rows, ErrorCode::kShape, "{}: expected {} rows in all, got {}", in.describe(kSplits), rows,
            row);
  }
};

REGISTER_OPERATOR_AS("caffe2rt.NumberRegions", NumberRegions)
    .says("Puts the number of its image before each box.")
    .input("boxes", "(R,4) or (R,5) float32, images in order")
    .input("batch_splits", "(N) float32: rows of each image")
    .output("rois", "(R,5) or (R,6) float32: image, box", infer::by(&NumberRegions::output_shape))
    .arg("caffe2rt.slots", kSlotsDoc);

}  // namespace
}  // namespace caffe2rt
