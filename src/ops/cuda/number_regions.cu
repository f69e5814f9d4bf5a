#include "ops/cuda/number_regions.h"

namespace caffe2rt::cuda {
namespace {

__global__ void number_kernel(NumberedRegions n) {
  const std::int64_t r = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (r >= n.rows) return;
  std::int64_t end = 0;
  int image = 0;
  if (n.slots) {
    const std::int64_t of_image = n.rows / n.images;
    image = static_cast<int>(r / of_image);
    if (r % of_image >= static_cast<std::int64_t>(n.splits[image])) image = n.images;
  } else {
    while (image < n.images && r >= (end += static_cast<std::int64_t>(n.splits[image]))) image++;
  }
  float* to = n.to + r * (n.columns + 1);
  *to++ = image < n.images ? static_cast<float>(image) : -1.0F;
  for (int k = 0; k < n.columns; k++) to[k] = n.boxes[r * n.columns + k];
}

}  // namespace

void number_regions(const NumberedRegions& n, cudaStream_t stream) {
  launch_for(n.rows, number_kernel, stream, n);
}

}  // namespace caffe2rt::cuda
