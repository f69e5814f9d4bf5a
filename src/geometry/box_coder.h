// BoxCoder: turns anchors and the deltas that a network regresses into boxes and fits them into an image, in
// the conventions that a model was trained with. Plain arithmetic in float32, for upright and rotated boxes.
#pragma once

#include <array>

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
  Box decode(const Box& anchor, const float* deltas) const;
  RotatedBox decode(const RotatedBox& anchor, const float* deltas) const;

  // The box's part inside an image.
  Box clip(const Box& box, float image_width, float image_height) const;
  RotatedBox clip(const RotatedBox& box, float image_width, float image_height) const;

  // Neither side shorter than min_size, and the centre left of and above the image's far edges. False for
  // not-a-number.
  bool is_proposal(const Box& box, float image_width, float image_height, float min_size) const;
  bool is_proposal(const RotatedBox& box, float image_width, float image_height, float min_size) const;
};

}  // namespace caffe2rt
