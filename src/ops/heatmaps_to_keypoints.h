// HeatmapsToKeypoints as a function: the highest cell of each heat map after it is stretched over its box, as
// detectron2's heatmaps_to_keypoints. Source: detectron2/structures/keypoints.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "geometry/box.h"
#include "geometry/heat_map.h"

namespace caffe2rt {

// `maps`: (K,H,W) float32 contiguous, of one object; `box`: where they lie, pixels of the net's input.
// Returns K points there; a score is the softmax of the map at its highest cell. Throws Error(kLimit) for a
// box of absurd size.
std::vector<Peak> stretched_peaks(const at::Tensor& maps, const Box& box);

}  // namespace caffe2rt
