#include <limits>

#include "ops/cuda/bbox_transform.h"

namespace caffe2rt::cuda {
namespace {

__global__ void move_kernel(MovedBoxes m) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= m.rows * m.boxes) return;
  const std::int64_t r = i / m.boxes;
  const float* roi = m.rois + r * m.columns;
  const float image = m.columns > 4 ? roi[0] : 0;
  float* to = m.to + i * 4;
  if (!(image >= 0 && image < static_cast<float>(m.images))) {
    for (int k = 0; k < 4; k++) to[k] = image == -1 ? 0 : std::numeric_limits<float>::quiet_NaN();
    return;
  }
  const int index = static_cast<int>(image);
  if (i % m.boxes == 0) atomicAdd(m.splits + index, 1.0F);
  const float* info = m.im_info + index * 3;
  roi += m.columns - 4;
  const Box anchor{roi[0] / info[2], roi[1] / info[2], roi[2] / info[2], roi[3] / info[2]};
  const float scale = m.apply_scale ? info[2] : 1;
  // The image's own size in whole pixels.
  const auto h = static_cast<float>(std::floor(info[0] / info[2] + 0.5));
  const auto w = static_cast<float>(std::floor(info[1] / info[2] + 0.5));
  const Box box = m.coder.clip(m.coder.decode(anchor, m.deltas + i * 4), w, h);
  to[0] = box.x1 * scale;
  to[1] = box.y1 * scale;
  to[2] = box.x2 * scale;
  to[3] = box.y2 * scale;
}

}  // namespace

void move_boxes(const MovedBoxes& m, cudaStream_t stream) {
  launch_for(m.rows * m.boxes, move_kernel, stream, m);
}

}  // namespace caffe2rt::cuda
