// Reads keypoints out of heat maps, as detectron2's heatmaps_to_keypoints: the highest cell of each map after
// it is stretched over its box. Source: detectron2/structures/keypoints.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "decode/detections.h"

namespace caffe2rt {

// `maps`: (K,H,W) float32 contiguous, of one object; `box`: where they lie, pixels of the net's input.
// Returns K keypoints there; a score is the softmax of the map at its highest cell. Throws Error(kLimit) for
// a box of absurd size.
std::vector<Keypoint> keypoints_of_maps(const at::Tensor& maps, const Box& box);

}  // namespace caffe2rt
