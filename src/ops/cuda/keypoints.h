// Kernels that find the highest points of heat maps.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct HeatMaps {
  const float* maps = nullptr;   // (R,K,height,width)
  const float* boxes = nullptr;  // (R,columns): x1, y1, x2, y2, and what else there is
  std::int64_t regions = 0;
  int keypoints = 0, height = 0, width = 0, columns = 4;
  float* to = nullptr;
};

// Writes (R,4,K): x, y, score and probability, as ops/heatmap_max_keypoint.cpp. REQUIRES: height == width.
void find_peaks(const HeatMaps& m, bool with_softmax, cudaStream_t stream);

// Writes (R,K,3): x, y and score, as ops/heatmaps_to_keypoints.cpp. Not-a-number for a box of more than 16384
// pixels a side, which that refuses.
void find_stretched_peaks(const HeatMaps& m, cudaStream_t stream);

}  // namespace caffe2rt::cuda
