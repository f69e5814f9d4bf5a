// BestAnchors' kernels: order keys of scores, and what is at the best places.
#pragma once

#include "ops/cuda/launch.h"
#include "ops/cuda/strides.h"

namespace caffe2rt::cuda {

struct AnchorScores {
  const float* scores = nullptr;  // (N,A*K,H,W)
  Strides score_strides;
  const float* deltas = nullptr;  // (N,A*4,H,W)
  Strides delta_strides;
  int images = 0, channels = 0, height = 0, width = 0, anchors = 1;
};

// Writes (N,H*W*channels): order_key of score and position, (row * width + column) * channels + channel.
void make_anchor_keys(const AnchorScores& s, std::int64_t* keys, cudaStream_t stream);

struct BestPlaces {
  const std::int64_t* keys = nullptr;  // (N,count), best first
  int count = 0;
  float* values = nullptr;  // (N,count,5)
  int* places = nullptr;    // (N,count,3)
  int* size = nullptr;      // (3)
};
void read_best_places(const AnchorScores& s, const BestPlaces& b, cudaStream_t stream);

}  // namespace caffe2rt::cuda
