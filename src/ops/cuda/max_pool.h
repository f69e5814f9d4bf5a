// MaxPool over two axes of images in (N,H,W,C) order.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

struct PooledImages {
  const void* from = nullptr;  // (images,height,width,channels)
  void* to = nullptr;          // (images,to_height,to_width,channels)
  Numbers type = Numbers::kFloat;
  std::int64_t images = 0;
  int channels = 0, height = 0, width = 0, to_height = 0, to_width = 0;
  int kernel[2] = {1, 1}, stride[2] = {1, 1}, before[2] = {0, 0};  // down, across; before: padding in front
};
// Not-a-number is larger than any number; a window without pixels gives 0.
void max_pool(const PooledImages& p, cudaStream_t stream);

}  // namespace caffe2rt::cuda
