#include "decode/keypoints.h"

#include <ATen/ops/max.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace caffe2rt {

std::vector<Keypoint> keypoints_of_maps(const at::Tensor& maps, const Box& box) {
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

  std::vector<Keypoint> keypoints(maps.size(0));
  for (size_t k = 0; k < keypoints.size(); k++) {
    const auto position = positions.const_data_ptr<std::int64_t>()[k];
    const std::int64_t row = position / cells[1], column = position % cells[1];
    const auto x = static_cast<float>(column), y = static_cast<float>(row);
    keypoints[k].x = (x + 0.5F) * (width / static_cast<float>(cells[1])) + box.x1;
    keypoints[k].y = (y + 0.5F) * (height / static_cast<float>(cells[0])) + box.y1;
    keypoints[k].score = scores.const_data_ptr<float>()[k];
  }
  return keypoints;
}

}  // namespace caffe2rt
