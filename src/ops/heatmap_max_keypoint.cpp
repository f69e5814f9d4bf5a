// HeatmapMaxKeypoint: for each region and keypoint, the highest point of a parabola through the 3x3 values
// around the heat map's maximum, in pixels of the image: Y[r] = (x, y, score, probability) x K.
//
// Keypoints of Mask R-CNN, https://arxiv.org/abs/1703.06870.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "geometry/heat_map.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

float softmax_of_max(const float* map, int64_t cells, float max) {
  float sum = 0;
  for (int64_t i = 0; i < cells; i++) sum += std::exp(map[i] - max);
  return 1 / sum;
}

class HeatmapMaxKeypoint final : public Operator {
 public:
  enum Input { kHeatmaps, kBoxes };

  explicit HeatmapMaxKeypoint(const OperatorArgs& args)
      : with_softmax_(args.get("should_output_softmax", false)) {}

  PartialShape infer_keypoints(PartialShapes in) const {
    return std::vector<int64_t>{dim_or_unknown(in[kHeatmaps], 0), 4, dim_or_unknown(in[kHeatmaps], 1)};
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kHeatmaps, 4);
    const int64_t regions = in[kHeatmaps].size(0), keypoints = in[kHeatmaps].size(1),
                  size = in[kHeatmaps].size(2);
    require(size >= 2 && size == in[kHeatmaps].size(3), ErrorCode::kShape,
            "{}: expected square maps of at least 2x2, got {}x{}", in.describe(kHeatmaps), size,
            in[kHeatmaps].size(3));
    require_shape(in, kBoxes, {regions, kUnknown});
    require(in[kBoxes].size(1) >= 4, ErrorCode::kShape, "{}: expected at least 4 columns, got {}",
            in.describe(kBoxes), in[kBoxes].size(1));

    const at::Tensor maps = in[kHeatmaps].contiguous(), boxes = in[kBoxes].contiguous();
    out[0] = at::empty({regions, 4, keypoints}, maps.options());
    auto* to = out[0].data_ptr<float>();
    at::parallel_for(0, regions, 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++)
        for (int64_t k = 0; k < keypoints; k++)
          find(maps.data_ptr<float>() + (r * keypoints + k) * size * size, size,
               boxes.data_ptr<float>() + r * boxes.size(1), to + r * 4 * keypoints + k, keypoints);
    });
  }

 private:
  // One column of the output: 4 values, `stride` apart.
  void find(const float* map, int64_t size, const float* box, float* to, int64_t stride) const {
    const int64_t cells = size * size, best = std::max_element(map, map + cells) - map;
    const int x = static_cast<int>(best % size), y = static_cast<int>(best / size);
    const Peak peak = refined_peak(Neighbourhood(map, static_cast<int>(size), x, y), x, y);
    const float width = std::max(box[2] - box[0], 1.0F), height = std::max(box[3] - box[1], 1.0F);
    to[0] = box[0] + peak.x * width / static_cast<float>(size);
    to[stride] = box[1] + peak.y * height / static_cast<float>(size);
    to[2 * stride] = peak.score;
    to[3 * stride] = with_softmax_ ? softmax_of_max(map, cells, map[best]) : 0;
  }

  const bool with_softmax_;
};

REGISTER_OPERATOR(HeatmapMaxKeypoint)
    .says("Finds keypoints: the peak of each heat map, to a fraction of a cell.")
    .input("heatmaps", "(R,K,S,S) float32")
    .input("bboxes",
           "(R,4) float32: x1, y1, x2, y2 of the regions that the maps cover; further columns are ignored")
    .output("keypoints", "(R,4,K) float32: x, y, score and probability of each keypoint",
            infer::by(&HeatmapMaxKeypoint::infer_keypoints))
    .arg("should_output_softmax",
         "1: the probability is that of the maximum in a softmax over the map; 0 (default): it is 0");

}  // namespace
}  // namespace caffe2rt
