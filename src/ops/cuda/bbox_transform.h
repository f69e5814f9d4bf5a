// BBoxTransform's arithmetic: boxes moved by their deltas and clipped to their images.
#pragma once

#include "geometry/box_coder.h"
#include "ops/cuda/boxes.h"

namespace caffe2rt::cuda {

struct MovedBoxes {
  bool rotated = false;            // of boxes of S numbers: 4, or 5
  const float* rois = nullptr;     // (R,columns): S numbers of a box, and before them the image with S + 1
  const float* deltas = nullptr;   // (R,S*K)
  const float* im_info = nullptr;  // (N,3)
  float* to = nullptr;             // (R,S*K)
  float* splits = nullptr;         // (N), zero before: how many regions each image has
  std::int64_t rows = 0;
  int columns = 5, boxes = 0, images = 0;  // `boxes`: K
  BoxCoder coder;
  bool apply_scale = true;
};
// Regions of no image become boxes of not-a-number: the CPU refuses them. Empty slots (slots.h) become zeros.
void move_boxes(const MovedBoxes& m, cudaStream_t stream);

}  // namespace caffe2rt::cuda
