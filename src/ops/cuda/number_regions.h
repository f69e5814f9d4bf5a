// caffe2rt.NumberRegions' copying of boxes.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct NumberedRegions {
  const float* boxes = nullptr;   // (R,columns)
  const float* splits = nullptr;  // (N): rows of each image
  float* to = nullptr;            // (R,1+columns): image, box
  std::int64_t rows = 0;
  int columns = 4, images = 0;
  bool slots =
      false;  // rows are slots (slots.h); otherwise those of one image follow those of the one before
};
// Rows past the last image's are of image -1: the CPU refuses them.
void number_regions(const NumberedRegions& n, cudaStream_t stream);

}  // namespace caffe2rt::cuda
