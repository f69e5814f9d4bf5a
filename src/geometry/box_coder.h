// BoxCoder: turns anchors and the deltas that a network regresses into boxes and fits them into an image, in
// the conventions that a model was trained with. Plain arithmetic in float32, for upright and rotated boxes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/host_device.h"
#include "geometry/box.h"

namespace caffe2rt {

struct BoxCoder {
  float one = 1;  // legacy plus one: see box.h
  std::array<float, 4> weights = {1, 1, 1, 1};

  // Rotated boxes: angles are brought into [angle_lo, angle_hi] degrees, if bound_angles; the range is a
  // multiple of 180.
  bool bound_angles = true;
  int angle_lo = -90, angle_hi = 90;
  // Rotated boxes at most that many degrees off are clipped as upright ones, all others not at all.
  float clip_angle = 1;

  // The box that deltas (dx,dy,dw,dh) move an anchor to: centre + d * size, size * exp(d). A rotated box has
  // a fifth delta, in radians.
  CAFFE2RT_HD Box decode(const Box& anchor, const float* deltas) const;
  CAFFE2RT_HD RotatedBox decode(const RotatedBox& anchor, const float* deltas) const;

  // The box's part inside an image.
  CAFFE2RT_HD Box clip(const Box& box, float image_width, float image_height) const;
  CAFFE2RT_HD RotatedBox clip(const RotatedBox& box, float image_width, float image_height) const;

  // Neither side shorter than min_size, and the centre left of and above the image's far edges. False for
  // not-a-number.
  CAFFE2RT_HD bool is_proposal(const Box& box, float image_width, float image_height, float min_size) const;
  CAFFE2RT_HD bool is_proposal(const RotatedBox& box, float image_width, float image_height,
                               float min_size) const;

  // No box grows more than 1000/16 times, so that exp() cannot overflow: the logarithm of that in float32.
  static constexpr float kMaxLogScale = 0x1.08a692p+2F;

  // One axis of a box.
  struct Extent {
    float centre, size;
  };
  CAFFE2RT_HD static Extent move(const Extent& from, float shift, float log_scale);
};

// e to the x. A GPU's own expf is some last bits off, which tips a suppression now and then; rounded from
// double it is as good as the processor's library.
CAFFE2RT_HD inline float exponential(float x) {
#ifdef __CUDA_ARCH__
  return static_cast<float>(::exp(static_cast<double>(x)));
#else
  return std::exp(x);
#endif
}

CAFFE2RT_HD inline BoxCoder::Extent BoxCoder::move(const Extent& from, float shift, float log_scale) {
  return {shift * from.size + from.centre, exponential(std::min(log_scale, float{kMaxLogScale})) * from.size};
}

CAFFE2RT_HD inline Box BoxCoder::decode(const Box& anchor, const float* deltas) const {
  const float w = anchor.width(one), h = anchor.height(one);
  const Extent x = move({anchor.x1 + 0.5F * w, w}, deltas[0] / weights[0], deltas[2] / weights[2]);
  const Extent y = move({anchor.y1 + 0.5F * h, h}, deltas[1] / weights[1], deltas[3] / weights[3]);
  return {x.centre - 0.5F * x.size, y.centre - 0.5F * y.size, x.centre + 0.5F * x.size - one,
          y.centre + 0.5F * y.size - one};
}

CAFFE2RT_HD inline Box BoxCoder::clip(const Box& box, float image_width, float image_height) const {
  const auto clamp = [](float v, float most) { return std::max(std::min(v, most), 0.0F); };
  const float right = image_width - one, bottom = image_height - one;
  return {clamp(box.x1, right), clamp(box.y1, bottom), clamp(box.x2, right), clamp(box.y2, bottom)};
}

CAFFE2RT_HD inline bool BoxCoder::is_proposal(const Box& box, float image_width, float image_height,
                                              float min_size) const {
  const float w = box.width(one), h = box.height(one);
  return w >= min_size && h >= min_size && box.x1 + w / 2 < image_width && box.y1 + h / 2 < image_height;
}

CAFFE2RT_HD inline RotatedBox BoxCoder::decode(const RotatedBox& anchor, const float* deltas) const {
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

CAFFE2RT_HD inline RotatedBox BoxCoder::clip(const RotatedBox& box, float image_width,
                                             float image_height) const {
  if (!(std::abs(box.angle) <= clip_angle)) return box;
  const float half_w = (box.width - one) / 2, half_h = (box.height - one) / 2;
  const Box inner = clip(Box{box.cx - half_w, box.cy - half_h, box.cx + half_w, box.cy + half_h}, image_width,
                         image_height);
  return {(inner.x1 + inner.x2) / 2, (inner.y1 + inner.y2) / 2, inner.width(one), inner.height(one),
          box.angle};
}

CAFFE2RT_HD inline bool BoxCoder::is_proposal(const RotatedBox& box, float image_width, float image_height,
                                              float min_size) const {
  return box.width >= min_size && box.height >= min_size && box.cx < image_width && box.cy < image_height;
}

// A box moved by so many pixels.
CAFFE2RT_HD inline Box shifted(const Box& b, float x, float y) {
  return {b.x1 + x, b.y1 + y, b.x2 + x, b.y2 + y};
}
CAFFE2RT_HD inline RotatedBox shifted(const RotatedBox& b, float x, float y) {
  return {b.cx + x, b.cy + y, b.width, b.height, b.angle};
}

// A box whose lengths are what `f` makes of them.
template <class F>
CAFFE2RT_HD Box scaled(const Box& b, F&& f) {
  return {f(b.x1), f(b.y1), f(b.x2), f(b.y2)};
}
template <class F>
CAFFE2RT_HD RotatedBox scaled(const RotatedBox& b, F&& f) {
  return {f(b.cx), f(b.cy), f(b.width), f(b.height), b.angle};
}

}  // namespace caffe2rt
