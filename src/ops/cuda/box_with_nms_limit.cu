#include <climits>

#include "geometry/suppress.h"
#include "ops/cuda/box_with_nms_limit.h"

namespace caffe2rt::cuda {
namespace {

__device__ std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__global__ void key_kernel(ClassScores s) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(s.rows) * s.classes) return;
  // Neighbouring threads read neighbouring scores.
  const int r = static_cast<int>(i / s.classes), c = static_cast<int>(i % s.classes);
  const float score = s.scores[static_cast<std::int64_t>(r) * s.columns + s.score_first + c];
  const bool above = score > s.threshold && (!s.filled || r < *s.filled);
  s.keys[static_cast<std::int64_t>(c) * s.rows + r] =
      above ? order_key(score, static_cast<std::uint32_t>(r)) : INT64_MIN;
  if (above) atomicAdd(s.sizes + c, 1);
}

template <class B>
__global__ void box_kernel(ClassBoxes b) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(b.rows) * b.classes) return;
  const int c = static_cast<int>(i / b.rows);
  if (i % b.rows >= b.sizes[c]) return;
  const std::int64_t row = position_of(b.keys[i]);
  const std::int64_t box = row * b.columns + (b.one_for_all ? 0 : b.box_first + c);
  static_cast<B*>(b.sorted)[i] = box_at<B>(b.boxes + box * B::kSize);
}

__device__ std::int64_t row_of(const KeptKeys& k, int c, int rank) {
  const int position = k.kept[static_cast<std::int64_t>(c) * k.limit + rank];
  return position_of(k.keys[static_cast<std::int64_t>(c) * k.rows + position]);
}

__device__ float score_of(const KeptKeys& k, int c, int rank) {
  if (k.lowered) return k.lowered[static_cast<std::int64_t>(c) * k.limit + rank];
  return k.scores[row_of(k, c, rank) * k.columns + k.score_first + c];
}

__global__ void kept_kernel(KeptKeys k) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(k.classes) * k.limit) return;
  const int c = static_cast<int>(i / k.limit), rank = static_cast<int>(i % k.limit);
  k.to[i] =
      rank < k.kept_sizes[c] ? order_key(score_of(k, c, rank), static_cast<std::uint32_t>(i)) : INT64_MIN;
}

__global__ void place_kernel(const std::int64_t* keys, int count, int* places) {
  const std::int64_t i = thread_index();
  if (i < count) places[i] = keys[i] == INT64_MIN ? INT_MAX : static_cast<int>(position_of(keys[i]));
}

template <class B>
__global__ void detection_kernel(DetectionRows d) {
  const std::int64_t i = thread_index();
  if (i >= d.count || d.places[i] == INT_MAX) return;
  const int c = d.places[i] / d.kept.limit, rank = d.places[i] % d.kept.limit;
  const std::int64_t row = row_of(d.kept, c, rank);
  const int position = d.kept.kept[static_cast<std::int64_t>(c) * d.kept.limit + rank];
  const B box = static_cast<const B*>(d.sorted)[static_cast<std::int64_t>(c) * d.kept.rows + position];
  d.scores[i] = score_of(d.kept, c, rank);
  put_box(box, d.boxes + i * B::kSize);
  d.classes[i] = static_cast<float>(c) + d.class_offset;
  d.rows[i] = static_cast<int>(row);
  atomicAdd(d.keeps_size + 1 + c, 1);
  if (d.found) atomicAdd(d.found, 1.0F);
}

}  // namespace

void make_class_keys(const ClassScores& s, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(s.rows) * s.classes;
  launch_for(count, key_kernel, stream, s);
}

void gather_class_boxes(const ClassBoxes& b, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(b.rows) * b.classes;
  with_box(b.rotated, [&](auto box) { launch_for(count, box_kernel<decltype(box)>, stream, b); });
}

void make_kept_keys(const KeptKeys& k, cudaStream_t stream) {
  const std::int64_t count = static_cast<std::int64_t>(k.classes) * k.limit;
  launch_for(count, kept_kernel, stream, k);
}

void places_of_keys(const std::int64_t* keys, int count, int* places, cudaStream_t stream) {
  launch_for(count, place_kernel, stream, keys, count, places);
}

void write_detections(const DetectionRows& d, cudaStream_t stream) {
  with_box(d.rotated, [&](auto box) { launch_for(d.count, detection_kernel<decltype(box)>, stream, d); });
}

}  // namespace caffe2rt::cuda
