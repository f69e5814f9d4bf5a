#include "geometry/heat_map.h"
#include "ops/cuda/highest.cuh"
#include "ops/cuda/keypoints.h"

namespace caffe2rt::cuda {
namespace {

// 1 over the sum of exp(cell - highest): the softmax of the map at that value.
__device__ float softmax_of(const float* map, int cells, float highest) {
  __shared__ float sums[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  float sum = 0;
  for (int i = thread; i < cells; i += kThreads) sum += expf(map[i] - highest);
  sums[thread] = sum;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) sums[thread] += sums[thread + half];
    __syncthreads();
  }
  return 1 / sums[0];
}

// A block a map.
__global__ void peak_kernel(HeatMaps m, bool with_softmax) {
  const std::int64_t r = blockIdx.x / m.keypoints, k = blockIdx.x % m.keypoints;
  const int cells = m.height * m.width;
  const float* map = m.maps + static_cast<std::int64_t>(blockIdx.x) * cells;
  Highest own{-INFINITY, 0};
  for (int i = static_cast<int>(threadIdx.x); i < cells; i += kThreads)
    if (map[i] > own.value) own = {map[i], i};
  const Highest best = highest_of_block(own);
  const float probability = with_softmax ? softmax_of(map, cells, best.value) : 0;
  if (threadIdx.x != 0) return;
  const int x = static_cast<int>(best.position % m.width), y = static_cast<int>(best.position / m.width);
  const Peak peak = refined_peak(Neighbourhood(map, m.width, x, y), x, y);
  const float* box = m.boxes + r * m.columns;
  const float width = fmaxf(box[2] - box[0], 1.0F), height = fmaxf(box[3] - box[1], 1.0F);
  float* to = m.to + r * 4 * m.keypoints + k;
  to[0] = box[0] + peak.x * width / static_cast<float>(m.width);
  to[m.keypoints] = box[1] + peak.y * height / static_cast<float>(m.width);
  to[2 * m.keypoints] = peak.score;
  to[3 * m.keypoints] = probability;
}

// A block a map; its threads take columns of pixels side by side.
__global__ void stretched_peak_kernel(HeatMaps m) {
  constexpr float kMostSide = 16384;
  const std::int64_t r = blockIdx.x / m.keypoints;
  const int cells = m.height * m.width;
  const float* map = m.maps + static_cast<std::int64_t>(blockIdx.x) * cells;
  const float* box = m.boxes + r * m.columns;
  const float width = fmaxf(box[2] - box[0], 1.0F), height = fmaxf(box[3] - box[1], 1.0F);
  float* to = m.to + static_cast<std::int64_t>(blockIdx.x) * 3;
  if (!(width <= kMostSide && height <= kMostSide)) {
    if (threadIdx.x < 3) to[threadIdx.x] = NAN;
    return;
  }
  const int columns = static_cast<int>(ceilf(width)), rows = static_cast<int>(ceilf(height));
  const CubicAxis across(m.width, columns), down(m.height, rows);
  Highest own{-INFINITY, 0};
  for (int x = static_cast<int>(threadIdx.x); x < columns; x += kThreads) {
    const CubicAxis::Place px = across.place(x);
    for (int y = 0; y < rows; y++) {
      const Highest here{cubic_value(map, m.width, px, down.place(y)),
                         static_cast<std::int64_t>(y) * columns + x};
      if (is_before(here, own)) own = here;
    }
  }
  const Highest best = highest_of_block(own);
  const float score = softmax_of(map, cells, best.value);
  if (threadIdx.x != 0) return;
  const auto x = static_cast<float>(best.position % columns), y = static_cast<float>(best.position / columns);
  to[0] = (x + 0.5F) * (width / static_cast<float>(columns)) + box[0];
  to[1] = (y + 0.5F) * (height / static_cast<float>(rows)) + box[1];
  to[2] = score;
}

unsigned maps_of(const HeatMaps& m) { return static_cast<unsigned>(m.regions * m.keypoints); }

}  // namespace

void find_peaks(const HeatMaps& m, bool with_softmax, cudaStream_t stream) {
  if (maps_of(m) > 0) launch(peak_kernel, maps_of(m), kThreads, 0, stream, m, with_softmax);
}

void find_stretched_peaks(const HeatMaps& m, cudaStream_t stream) {
  if (maps_of(m) > 0) launch(stretched_peak_kernel, maps_of(m), kThreads, 0, stream, m);
}

}  // namespace caffe2rt::cuda
