// SemanticLabels' kernel, for one image.
#pragma once

#include "ops/cuda/launch.h"
#include "ops/cuda/strides.h"

namespace caffe2rt::cuda {

struct LabeledFrame {
  const void* logits = nullptr;  // (C,H,W)
  Numbers type = Numbers::kFloat;
  Strides strides;  // `n` is not used
  int classes = 0;
  int height = 0, width = 0;              // of the image in H and W
  int frame_height = 0, frame_width = 0;  // pixels
  int* to = nullptr;                      // (frame_height,frame_width)
};
void find_labels(const LabeledFrame& f, cudaStream_t stream);

}  // namespace caffe2rt::cuda
