#include "geometry/suppress.h"
#include "ops/cuda/best_anchors.h"

namespace caffe2rt::cuda {
namespace {

__device__ std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ float at(const float* map, const Strides& s, std::int64_t n, std::int64_t c, std::int64_t h,
                    std::int64_t w) {
  return map[n * s.n + c * s.c + h * s.h + w * s.w];
}

// Neighbouring threads read neighbouring channels, which is how convolutions write them.
__global__ void key_kernel(AnchorScores s, std::int64_t* keys) {
  const std::int64_t of_image = static_cast<std::int64_t>(s.channels) * s.height * s.width;
  const std::int64_t i = thread_index();
  if (i >= of_image * s.images) return;
  const std::int64_t position = i % of_image, cell = position / s.channels;
  const float score =
      at(s.scores, s.score_strides, i / of_image, position % s.channels, cell / s.width, cell % s.width);
  keys[i] = order_key(score, static_cast<std::uint32_t>(position));
}

__global__ void place_kernel(AnchorScores s, BestPlaces b) {
  const std::int64_t i = thread_index();
  if (i == 0) {
    b.size[0] = s.channels;
    b.size[1] = s.height;
    b.size[2] = s.width;
  }
  if (i >= static_cast<std::int64_t>(s.images) * b.count) return;
  const std::int64_t n = i / b.count, position = position_of(b.keys[i]), cell = position / s.channels,
                     channel = position % s.channels, row = cell / s.width, column = cell % s.width;
  const std::int64_t anchor = channel / (s.channels / s.anchors);
  float* value = b.values + i * 5;
  value[0] = at(s.scores, s.score_strides, n, channel, row, column);
  for (int k = 0; k < 4; k++) value[1 + k] = at(s.deltas, s.delta_strides, n, anchor * 4 + k, row, column);
  int* place = b.places + i * 3;
  place[0] = static_cast<int>(row);
  place[1] = static_cast<int>(column);
  place[2] = static_cast<int>(channel);
}

}  // namespace

void make_anchor_keys(const AnchorScores& s, std::int64_t* keys, cudaStream_t stream) {
  launch_for(static_cast<std::int64_t>(s.images) * s.channels * s.height * s.width, key_kernel, stream, s,
             keys);
}

void read_best_places(const AnchorScores& s, const BestPlaces& b, cudaStream_t stream) {
  const std::int64_t places = static_cast<std::int64_t>(s.images) * b.count;
  launch_for(places > 0 ? places : 1, place_kernel, stream, s, b);
}

}  // namespace caffe2rt::cuda
