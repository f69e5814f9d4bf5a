// caffe2rt.HeatmapsToKeypoints: the highest point of each heat map after it is stretched over its region:
// Y[r][k] = (x, y, score).
//
// What detectron2 does after the net (heatmaps_to_keypoints in detectron2/structures/keypoints.py), as an
// operator, so that a GPU does it where the maps are.
#include "ops/heatmaps_to_keypoints.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/max.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

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
      for (const Peak& found : stretched_peaks(maps.select(0, r), {box[0], box[1], box[2], box[3]})) {
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

std::vector<Peak> stretched_peaks(const at::Tensor& maps, const Box& box) {
  constexpr float kMaxSide = 16384;
  const float width = std::max(1.0F, box.width()), height = std::max(1.0F, box.height());
  require(width <= kMaxSide && height <= kMaxSide, ErrorCode::kLimit,
          "keypoints: expected a box of at most {0}x{0} pixels, got {1}x{2}", kMaxSide, width, height);
  const std::array<std::int64_t, 2> cells = {static_cast<std::int64_t>(std::ceil(height)),
                                             static_cast<std::int64_t>(std::ceil(width))};
  // Where it makes a single cell, the torch of detectron2's day samples at -0.5 and not in the middle of the
  // map, which an endless scale does as well.
  const auto scale = [](std::int64_t size) { return size == 1 ? std::optional(1e30) : std::nullopt; };
  const at::Tensor stretched =
      at::upsample_bicubic2d(maps.unsqueeze(0), cells, false, scale(cells[0]), scale(cells[1]))
          .squeeze(0)
          .flatten(1);
  const auto [highest, positions] = at::max(stretched, 1);
  // The softmax is taken over the cells of the map before stretching, so that it compares across box sizes.
  const at::Tensor scores = maps.flatten(1).sub(highest.unsqueeze(1)).exp().sum(1).reciprocal();

  std::vector<Peak> peaks(maps.size(0));
  for (size_t k = 0; k < peaks.size(); k++) {
    const auto position = positions.const_data_ptr<std::int64_t>()[k];
    const std::int64_t row = position / cells[1], column = position % cells[1];
    const auto x = static_cast<float>(column), y = static_cast<float>(row);
    peaks[k].x = (x + 0.5F) * (width / static_cast<float>(cells[1])) + box.x1;
    peaks[k].y = (y + 0.5F) * (height / static_cast<float>(cells[0])) + box.y1;
    peaks[k].score = scores.const_data_ptr<float>()[k];
  }
  return peaks;
}

}  // namespace caffe2rt
