#include "geometry/suppress.h"
#include "ops/cuda/fpn_proposals.h"

namespace caffe2rt::cuda {
namespace {

__device__ std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__global__ void rank_kernel(const float* scores, std::int64_t count, std::int64_t* to) {
  const std::int64_t i = thread_index();
  if (i < count) to[i] = -static_cast<std::int64_t>(rank_of(scores[i]));
}

__global__ void first_kernel(const float* rois, std::int64_t rows, int columns, int most, bool* to) {
  const std::int64_t i = thread_index();
  if (i >= rows) return;
  const float image = rois[i * columns];
  to[i] = i < most || rois[(i - most) * columns] != image;
}

__global__ void slot_key_kernel(const float* rois, const float* scores, std::int64_t rows, std::int64_t* to) {
  const std::int64_t i = thread_index();
  if (i >= rows) return;
  const float image = rois[i * 5];
  const std::int64_t number = image >= 0 ? static_cast<std::int64_t>(image) : std::int64_t{1} << 30;
  to[i] = (number << 32) + (0xffffffffU - rank_of(scores[i]));
}

__global__ void collect_kernel(CollectedSlots c) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(c.images) * c.slots) return;
  const std::int64_t image = i / c.slots;
  // The first key of the image.
  std::int64_t low = 0, high = c.rows;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (c.keys[middle] < image << 32)
      low = middle + 1;
    else
      high = middle;
  }
  const std::int64_t at = low + i % c.slots;
  const bool filled = at < c.rows && c.keys[at] >> 32 == image;
  const float* roi = filled ? c.rois + c.order[at] * 5 : nullptr;
  for (int k = 0; k < 5; k++) c.to[i * 5 + k] = roi ? roi[k] : k == 0 ? -1.0F : 0.0F;
}

__device__ float size_of(const Box& box, float one) { return std::sqrt(box.area(one)); }
__device__ float size_of(const RotatedBox& box, float) { return std::sqrt(box.width * box.height); }

template <class B>
__global__ void level_kernel(LeveledRegions l) {
  const std::int64_t i = thread_index();
  if (i >= l.rows) return;
  const float* roi = l.rois + i * l.columns + l.columns - B::kSize;
  const int level = l.pyramid.of(size_of(box_at<B>(roi), l.one));
  l.levels[i] = level;
  atomicAdd(l.sizes + level, 1);
}

template <class B>
__global__ void sort_kernel(SortedRegions s) {
  const std::int64_t i = thread_index();
  if (i >= s.rows) return;
  const std::int64_t from = s.order[i];
  const float* roi = s.rois + from * s.columns;
  float* to = s.to + i * (1 + B::kSize);
  *to++ = s.columns > B::kSize ? *roi++ : 0;
  for (int k = 0; k < B::kSize; k++) to[k] = roi[k];
  s.restore[from] = static_cast<int>(i);
}

}  // namespace

void make_rank_keys(const float* scores, std::int64_t count, std::int64_t* to, cudaStream_t stream) {
  launch_for(count, rank_kernel, stream, scores, count, to);
}

void mark_first(const float* rois, std::int64_t rows, int columns, int most, bool* to, cudaStream_t stream) {
  launch_for(rows, first_kernel, stream, rois, rows, columns, most, to);
}

void make_slot_keys(const float* rois, const float* scores, std::int64_t rows, std::int64_t* to,
                    cudaStream_t stream) {
  launch_for(rows, slot_key_kernel, stream, rois, scores, rows, to);
}

void collect_slots(const CollectedSlots& c, cudaStream_t stream) {
  launch_for(static_cast<std::int64_t>(c.images) * c.slots, collect_kernel, stream, c);
}

void find_levels(const LeveledRegions& l, cudaStream_t stream) {
  with_box(l.rotated, [&](auto box) { launch_for(l.rows, level_kernel<decltype(box)>, stream, l); });
}

void sort_regions(const SortedRegions& s, cudaStream_t stream) {
  with_box(s.rotated, [&](auto box) { launch_for(s.rows, sort_kernel<decltype(box)>, stream, s); });
}

}  // namespace caffe2rt::cuda
