#include <limits>

#include "ops/cuda/bbox_transform.h"

namespace caffe2rt::cuda {
namespace {

template <class B>
__global__ void move_kernel(MovedBoxes m) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= m.rows * m.boxes) return;
  const std::int64_t r = i / m.boxes;
  const float* roi = m.rois + r * m.columns;
  const float image = m.columns > B::kSize ? roi[0] : 0;
  float* to = m.to + i * B::kSize;
  if (!(image >= 0 && image < static_cast<float>(m.images))) {
    for (int k = 0; k < B::kSize; k++) to[k] = image == -1 ? 0 : std::numeric_limits<float>::quiet_NaN();
    return;
  }
  const int index = static_cast<int>(image);
  if (i % m.boxes == 0) atomicAdd(m.splits + index, 1.0F);
  const float* info = m.im_info + index * 3;
  const B anchor = scaled(box_at<B>(roi + m.columns - B::kSize), [&](float v) { return v / info[2]; });
  const float scale = m.apply_scale ? info[2] : 1;
  // The image's own size in whole pixels.
  const auto h = static_cast<float>(std::floor(info[0] / info[2] + 0.5));
  const auto w = static_cast<float>(std::floor(info[1] / info[2] + 0.5));
  const B box = m.coder.clip(m.coder.decode(anchor, m.deltas + i * B::kSize), w, h);
  put_box(scaled(box, [&](float v) { return v * scale; }), to);
}

}  // namespace

void move_boxes(const MovedBoxes& m, cudaStream_t stream) {
  with_box(m.rotated, [&](auto box) { launch_for(m.rows * m.boxes, move_kernel<decltype(box)>, stream, m); });
}

}  // namespace caffe2rt::cuda
