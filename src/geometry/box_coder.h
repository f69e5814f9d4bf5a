// BoxCoder: turns anchors and the deltas that a network regresses into boxes and fits them into an image, in
// the conventions that a model was trained with. Plain arithmetic in float32, for upright and rotated boxes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

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
  RotatedBox decode(const RotatedBox& anchor, const float* deltas) const;

  // The box's part inside an image.
  CAFFE2RT_HD Box clip(const Box& box, float image_width, float image_height) const;
  RotatedBox clip(const RotatedBox& box, float image_width, float image_height) const;

  // Neither side shorter than min_size, and the centre left of and above the image's far edges. False for
  // not-a-number.
  CAFFE2RT_HD bool is_proposal(const Box& box, float image_width, float image_height, float min_size) const;
  bool is_proposal(const RotatedBox& box, float image_width, float image_height, float min_size) const;

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

}  // namespace caffe2rt
