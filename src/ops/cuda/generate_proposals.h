// GenerateProposals' kernels: order keys of scores, boxes from deltas, and rows of what is left.
#pragma once

#include "geometry/box_coder.h"
#include "ops/cuda/boxes.h"
#include "ops/cuda/strides.h"

namespace caffe2rt::cuda {

struct ScoreKeys {
  const float* scores = nullptr;  // (N,A,H,W)
  Strides strides;
  int images = 0, anchors = 0, height = 0, width = 0;
  std::int64_t* keys = nullptr;  // (N,A*H*W): order_key of score and position
};
void make_keys(const ScoreKeys& k, cudaStream_t stream);

struct Candidates {
  const std::int64_t* keys = nullptr;  // (N,count), best first
  const float* scores = nullptr;       // (N,A,H,W)
  Strides score_strides;
  const float* deltas = nullptr;  // (N,4*A,H,W); rotated: (N,5*A,H,W)
  Strides delta_strides;
  const float* anchors = nullptr;  // (A,4); rotated: (A,5)
  const float* im_info = nullptr;  // (N,3)
  int images = 0, count = 0, height = 0, width = 0;
  float stride_x = 1, stride_y = 1;
  float min_size = 0, score_threshold = 0;
  BoxCoder coder;
  bool rotated = false;
  void* boxes = nullptr;          // (N,count) of the kind
  float* box_scores = nullptr;    // (N,count)
  std::uint8_t* valid = nullptr;  // (N,count): whether it is a proposal
};
void make_candidates(const Candidates& c, cudaStream_t stream);

struct Rows {
  bool rotated = false;
  const void* boxes = nullptr;        // (N,count) of the kind
  const float* box_scores = nullptr;  // (N,count)
  const int* kept = nullptr;          // (N,limit): positions in `count`
  const int* kept_sizes = nullptr;    // (N)
  int images = 0, count = 0, limit = 0;
  float* rois = nullptr;    // (R,5), images in order, or (N*limit,5), see write_slots(); rotated: 6 columns
  float* scores = nullptr;  // (R), or (N*limit)
};
void write_rows(const Rows& r, cudaStream_t stream);
// The same into `limit` slots for each image, those that are left over being of image -1.
void write_slots(const Rows& r, cudaStream_t stream);

}  // namespace caffe2rt::cuda
