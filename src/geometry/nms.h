// Non-maximum suppression: of boxes that overlap, the one with the best score is kept.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/box.h"

namespace caffe2rt {

// Greedy suppression. `boxes` come best first; each is kept unless its IoU with one kept before it is above
// `threshold` or not a number. Returns the positions of at most `limit` boxes, in order; limit < 0: of all of
// them. `one`: see box.h.
std::vector<int> nms(std::span<const Box> boxes, float threshold, int limit, float one);
std::vector<int> nms(std::span<const RotatedBox> boxes, float threshold, int limit, float one);

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
};

// Lowers `scores` and returns the positions of the boxes kept, in the order in which they were picked.
std::vector<int> soft_nms(std::span<const Box> boxes, std::span<float> scores, const SoftNms& how, float one);
std::vector<int> soft_nms(std::span<const RotatedBox> boxes, std::span<float> scores, const SoftNms& how,
                          float one);

}  // namespace caffe2rt
