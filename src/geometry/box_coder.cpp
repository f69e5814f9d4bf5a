#include "geometry/box_coder.h"

#include <numbers>

namespace caffe2rt {

RotatedBox BoxCoder::decode(const RotatedBox& anchor, const float* deltas) const {
  const Extent x = move({anchor.cx, anchor.width}, deltas[0] / weights[0], deltas[2] / weights[2]);
  const Extent y = move({anchor.cy, anchor.height}, deltas[1] / weights[1], deltas[3] / weights[3]);
  float angle = deltas[4] * 180.0F / std::numbers::pi_v<float> + anchor.angle;
  if (bound_angles) {
    const auto period = static_cast<float>(angle_hi - angle_lo);
    if (angle < static_cast<float>(angle_lo)) angle += period;
    if (angle > static_cast<float>(angle_hi)) angle -= period;
  }
  return {x.centre, y.centre, x.size, y.size, angle};
}

RotatedBox BoxCoder::clip(const RotatedBox& box, float image_width, float image_height) const {
  if (!(std::abs(box.angle) <= clip_angle)) return box;
  const float half_w = (box.width - one) / 2, half_h = (box.height - one) / 2;
  const Box inner = clip(Box{box.cx - half_w, box.cy - half_h, box.cx + half_w, box.cy + half_h}, image_width,
                         image_height);
  return {(inner.x1 + inner.x2) / 2, (inner.y1 + inner.y2) / 2, inner.width(one), inner.height(one),
          box.angle};
}

bool BoxCoder::is_proposal(const RotatedBox& box, float image_width, float image_height,
                           float min_size) const {
  return box.width >= min_size && box.height >= min_size && box.cx < image_width && box.cy < image_height;
}

}  // namespace caffe2rt
