// Non-maximum suppression: of boxes that overlap, the one with the best score is kept.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/suppress.h"

namespace caffe2rt {

// Greedy suppression. `boxes` come best first; each is kept unless its IoU with one kept before it is above
// `threshold` or not a number. Returns the positions of at most `limit` boxes, in order; limit < 0: of all of
// them. `one`: see box.h.
std::vector<int> nms(std::span<const Box> boxes, float threshold, int limit, float one);
std::vector<int> nms(std::span<const RotatedBox> boxes, float threshold, int limit, float one);

// Soft-NMS: lowers `scores` and returns the positions of the boxes kept, in the order in which they were
// picked.
std::vector<int> soft_nms(std::span<const Box> boxes, std::span<float> scores, const SoftNms& how, float one);
std::vector<int> soft_nms(std::span<const RotatedBox> boxes, std::span<float> scores, const SoftNms& how,
                          float one);

}  // namespace caffe2rt
