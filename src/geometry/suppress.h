// What non-maximum suppression asks of two boxes, and the order of scores, for processors of all kinds; the
// CPU's own loop (nms.cpp) asks the same of many boxes at once.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"
#include "geometry/box.h"
#include "geometry/rotated_overlap.h"

namespace caffe2rt {

// Intersection over union, as iou() of box.h.
CAFFE2RT_HD inline float overlap(const Box& a, const Box& b, float one) {
  const float near_x = b.x1 > a.x1 ? b.x1 : a.x1, far_x = b.x2 < a.x2 ? b.x2 : a.x2;
  const float near_y = b.y1 > a.y1 ? b.y1 : a.y1, far_y = b.y2 < a.y2 ? b.y2 : a.y2;
  const float w = far_x - near_x + one, h = far_y - near_y + one;
  const float shared = (w > 0 ? w : 0) * (h > 0 ? h : 0);
  return shared / (a.area(one) + b.area(one) - shared);
}

CAFFE2RT_HD inline float overlap(const RotatedBox& a, const RotatedBox& b, float /*one*/) {
  return rotated::overlap(a, b);
}

// Whether box `b` gives way to `a`, which has the better score: their IoU is above `threshold` or not a
// number.
template <class B>
CAFFE2RT_HD bool suppresses(const B& a, const B& b, float threshold, float one) {
  return !(overlap(a, b, one) <= threshold);
}

// Soft-NMS (Bodla et al., https://arxiv.org/abs/1704.04503): overlap lowers a score instead of removing the
// box.
struct SoftNms {
  enum class Method {
    kLinear,    // score *= 1 - IoU where IoU > threshold
    kGaussian,  // score *= exp(-IoU^2 / sigma)
  };
  Method method = Method::kLinear;
  float threshold = 0.3F;
  float sigma = 0.5F;
  float min_score = 0.001F;  // boxes that fall below are dropped

  // What a score is multiplied by where a better box overlaps its own by so much.
  CAFFE2RT_HD float factor(float overlap) const {
    if (method == Method::kLinear) return overlap > threshold ? 1 - overlap : 1;
    return static_cast<float>(exp(-1.0 * overlap * overlap / sigma));
  }
};

// A number that is larger for a better score, and smallest for not-a-number: so that whole numbers can be
// sorted in place of scores. 0 and -0 are equal.
CAFFE2RT_HD inline std::uint32_t rank_of(float score) {
  if (!(score == score)) return 0;
  const auto bits = std::bit_cast<std::uint32_t>(score == 0 ? 0.0F : score);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

// One number of a score and a position, larger for a better score and, of equal ones, for the earlier
// position.
CAFFE2RT_HD inline std::int64_t order_key(float score, std::uint32_t position) {
  // Turned around its middle, so that it orders as a signed number.
  const std::uint64_t key =
      (static_cast<std::uint64_t>(rank_of(score)) << 32) | static_cast<std::uint64_t>(~position);
  return static_cast<std::int64_t>(key ^ 0x8000000000000000ULL);
}

// The score in an order_key; 0 for -0.
CAFFE2RT_HD inline float score_of(std::int64_t order_key) {
  const auto rank =
      static_cast<std::uint32_t>((static_cast<std::uint64_t>(order_key) ^ 0x8000000000000000ULL) >> 32);
  return std::bit_cast<float>((rank & 0x80000000U) != 0 ? rank & 0x7fffffffU : ~rank);
}

// The position in an order_key.
CAFFE2RT_HD inline std::uint32_t position_of(std::int64_t order_key) {
  return ~static_cast<std::uint32_t>(static_cast<std::uint64_t>(order_key) & 0xffffffffULL);
}

}  // namespace caffe2rt
