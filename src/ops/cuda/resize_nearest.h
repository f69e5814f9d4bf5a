// ResizeNearest's copying of pixels, of any element type.
#pragma once

#include "ops/cuda/launch.h"

namespace caffe2rt::cuda {

// Planes of rows of columns of cells: C planes of single numbers an image, or one plane of C numbers a cell.
struct NearestPixels {
  const void* from = nullptr;
  void* to = nullptr;
  std::int64_t planes = 0;
  int height = 0, width = 0, to_height = 0, to_width = 0;
  std::int64_t cell_bytes = 0;
  float height_scale = 1, width_scale = 1;
};
void resize_nearest(const NearestPixels& p, cudaStream_t stream);

}  // namespace caffe2rt::cuda
