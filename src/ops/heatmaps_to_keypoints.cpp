// caffe2rt.HeatmapsToKeypoints: the highest point of each heat map after it is stretched over its region:
// Y[r][k] = (x, y, score).
//
// What detectron2 does after the net (heatmaps_to_keypoints in detectron2/structures/keypoints.py), as an
// operator, so that a GPU does it where the maps are.
#include <ATen/ops/empty.h>

#include "decode/keypoints.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class HeatmapsToKeypoints final : public Operator {
 public:
  enum Input { kHeatmaps, kBoxes };

  explicit HeatmapsToKeypoints(const OperatorArgs&) {}

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 0 'heatmaps'", in[kHeatmaps], {{kUnknown, kUnknown, kUnknown, kUnknown}});
    require_compatible("input 1 'boxes'", in[kBoxes], {{dim_or_unknown(in[kHeatmaps], 0), kUnknown}});
    return {{dim_or_unknown(in[kHeatmaps], 0), dim_or_unknown(in[kHeatmaps], 1), 3}};
  }

  void run(const Inputs& in, Outputs& out) const override {
    const PartialShape y_shape = shape(shapes_of(in));
    const at::Tensor maps = in[kHeatmaps].contiguous(), boxes = in[kBoxes].contiguous();
    require(boxes.size(1) >= 4, ErrorCode::kShape, "{}: expected at least 4 columns, got {}",
            in.describe(kBoxes), boxes.size(1));
    out[0] = at::empty(*y_shape, maps.options());
    auto* to = out[0].mutable_data_ptr<float>();
    for (std::int64_t r = 0; r < maps.size(0); r++) {
      const float* box = boxes.const_data_ptr<float>() + r * boxes.size(1);
      for (const Keypoint& found : keypoints_of_maps(maps.select(0, r), {box[0], box[1], box[2], box[3]})) {
        *to++ = found.x;
        *to++ = found.y;
        *to++ = found.score;
      }
    }
  }
};

REGISTER_OPERATOR_AS("caffe2rt.HeatmapsToKeypoints", HeatmapsToKeypoints)
    .says("Finds keypoints: the highest cell of each heat map after it is stretched over its region.")
    .input("heatmaps", "(R,K,H,W) float32")
    .input("boxes",
           "(R,4) float32: x1, y1, x2, y2 of the regions that the maps cover; further columns are ignored")
    .output("keypoints", "(R,K,3) float32: x and y there, and the softmax of the map at its highest cell",
            infer::by(&HeatmapsToKeypoints::shape));

}  // namespace
}  // namespace caffe2rt
