#include "geometry/box_coder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace caffe2rt {
namespace {

struct Extent {
  float centre, size;
};

// One axis of a box. No box grows more than 1000/16 times, so that exp() cannot overflow.
Extent move(const Extent& from, float shift, float log_scale) {
  static const float max_log_scale = std::log(1000.0F / 16.0F);
  return {shift * from.size + from.centre, std::exp(std::min(log_scale, max_log_scale)) * from.size};
}

float clamp(float v, float most) { return std::max(std::min(v, most), 0.0F); }

}  // namespace

Box BoxCoder::decode(const Box& anchor, const float* deltas) const {
  const float w = anchor.width(one), h = anchor.height(one);
  const Extent x = move({anchor.x1 + 0.5F * w, w}, deltas[0] / weights[0], deltas[2] / weights[2]);
  const Extent y = move({anchor.y1 + 0.5F * h, h}, deltas[1] / weights[1], deltas[3] / weights[3]);
  return {x.centre - 0.5F * x.size, y.centre - 0.5F * y.size, x.centre + 0.5F * x.size - one,
          y.centre + 0.5F * y.size - one};
}

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

Box BoxCoder::clip(const Box& box, float image_width, float image_height) const {
  const float right = image_width - one, bottom = image_height - one;
  return {clamp(box.x1, right), clamp(box.y1, bottom), clamp(box.x2, right), clamp(box.y2, bottom)};
}

RotatedBox BoxCoder::clip(const RotatedBox& box, float image_width, float image_height) const {
  if (!(std::abs(box.angle) <= clip_angle)) return box;
  const float half_w = (box.width - one) / 2, half_h = (box.height - one) / 2;
  const Box inner = clip(Box{box.cx - half_w, box.cy - half_h, box.cx + half_w, box.cy + half_h}, image_width,
                         image_height);
  return {(inner.x1 + inner.x2) / 2, (inner.y1 + inner.y2) / 2, inner.width(one), inner.height(one),
          box.angle};
}

bool BoxCoder::is_proposal(const Box& box, float image_width, float image_height, float min_size) const {
  const float w = box.width(one), h = box.height(one);
  return w >= min_size && h >= min_size && box.x1 + w / 2 < image_width && box.y1 + h / 2 < image_height;
}

bool BoxCoder::is_proposal(const RotatedBox& box, float image_width, float image_height,
                           float min_size) const {
  return box.width >= min_size && box.height >= min_size && box.cx < image_width && box.cy < image_height;
}

}  // namespace caffe2rt
