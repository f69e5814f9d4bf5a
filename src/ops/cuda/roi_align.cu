#include <algorithm>
#include <limits>

#include "geometry/bilinear.h"
#include "geometry/box.h"
#include "ops/cuda/numbers.cuh"
#include "ops/cuda/roi_align.h"

namespace caffe2rt::cuda {
namespace {

constexpr float kLongest = 1 << 16;  // as long as the CPU takes a side

// A side's length for pooling. What the CPU refuses is a region without extent here.
__device__ float side(float length, bool aligned) {
  length = length >= 0 ? std::min(length, float{kLongest}) : 0;
  return aligned ? length : std::max(length, 1.0F);
}

// The taps of bin `b`; -1 where they are more than kMostTaps.
__device__ int take_taps(const Axis& axis, int b, int size, Tap* taps) {
  if (axis.samples >= kMostTaps) return -1;
  int count = 0;
  for (int i = 0; i < axis.samples; i++) {
    const Neighbours n(axis.at(b, i), size);
    if (!n.inside) continue;
    if (count + 2 > kMostTaps) return -1;
    count = join_tap(n.low, n.low_weight, taps, count);
    count = join_tap(n.high, n.high_weight, taps, count);
  }
  return count;
}

template <class T, int width>
__device__ void add_pixel(const T* pixel, float weight, float* sums) {
  const auto values = *reinterpret_cast<const Pack<T, width>*>(pixel);
#pragma unroll
  for (int k = 0; k < width; k++) sums[k] = fmaf(weight, to_float(values.values[k]), sums[k]);
}

// The four neighbours of a sample at (x,y).
template <class T, int width>
__device__ void add_sample_at(const T* map, const PooledLevel& level, int channels, float x, float y,
                              float* sums) {
  // One that is outside along an axis has no neighbours along the other either.
  const Neighbours v(y, level.height), h(x, level.width);
  if (!v.inside || !h.inside) return;
  const T* upper = map + static_cast<std::int64_t>(v.low) * level.width * channels;
  const T* lower = map + static_cast<std::int64_t>(v.high) * level.width * channels;
  const std::int64_t left = static_cast<std::int64_t>(h.low) * channels,
                     right = static_cast<std::int64_t>(h.high) * channels;
  add_pixel<T, width>(upper + left, v.low_weight * h.low_weight, sums);
  add_pixel<T, width>(upper + right, v.low_weight * h.high_weight, sums);
  add_pixel<T, width>(lower + left, v.high_weight * h.low_weight, sums);
  add_pixel<T, width>(lower + right, v.high_weight * h.high_weight, sums);
}

// The bins of a region: a region, its level, and where its samples lie.
struct Region {
  const PooledLevel* level = nullptr;
  int image = 0;
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  bool empty = false;  // an empty slot
};

// The region's numbers, and its level; null where there is none.
__device__ const float* find_roi(const PooledRegions& p, std::int64_t row, int& l) {
  l = 0;
  const PooledLevel& first = p.levels[0];
  if (p.by_size) {
    const float* roi = first.rois + row * first.columns;
    const float* box = roi + first.columns - 4;
    l = p.pyramid.of(std::sqrt(Box{box[0], box[1], box[2], box[3]}.area(p.one)));
    return roi;
  }
  const std::int64_t source = p.order ? p.order[row] : row;
  while (l < p.level_count && source >= p.levels[l].rois_end) l++;
  if (source < 0 || l == p.level_count) return nullptr;
  const PooledLevel& level = p.levels[l];
  return level.rois + (source - (l == 0 ? 0 : p.levels[l - 1].rois_end)) * level.columns;
}

__device__ bool find_region(const PooledRegions& p, std::int64_t row, Region& r) {
  int l = 0;
  const float* roi = find_roi(p, row, l);
  if (!roi) return false;
  const PooledLevel& level = p.levels[l];
  const int columns = p.by_size ? p.levels[0].columns : level.columns;
  const float image = columns > 4 ? roi[0] : 0;
  r.empty = image == -1;
  if (!(image >= 0 && image < static_cast<float>(p.images))) return false;
  roi += columns - 4;
  const float offset = p.aligned ? 0.5F : 0.0F;
  r.level = &level;
  r.image = static_cast<int>(image);
  r.x1 = roi[0] * level.scale - offset;
  r.y1 = roi[1] * level.scale - offset;
  r.x2 = roi[2] * level.scale - offset;
  r.y2 = roi[3] * level.scale - offset;
  return true;
}

// A block for each row of bins of a region: threadIdx.x runs along the channels, threadIdx.y along the bins.
template <class T, int width>
__global__ void pool_kernel(PooledRegions p) {
  __shared__ Tap rows[kMostTaps];
  __shared__ int row_count;
  __shared__ int column_counts[kMostPooled];
  CAFFE2RT_SHARED_MEMORY(more);
  Tap* columns = reinterpret_cast<Tap*>(more);  // kMostTaps a bin

  const std::int64_t row = blockIdx.x;
  const int ph = static_cast<int>(blockIdx.y);
  T* to = static_cast<T*>(p.to) + (row * p.pooled_h + ph) * p.pooled_w * p.channels;
  Region region;
  if (!find_region(p, row, region)) {
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
    for (int i = thread; i < p.pooled_w * p.channels; i += blockDim.x * blockDim.y)
      to[i] = from_float<T>(region.empty ? 0 : std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const PooledLevel& level = *region.level;
  const Axis x(region.x1, side(region.x2 - region.x1, p.aligned), p.pooled_w, p.sampling_ratio);
  const Axis y(region.y1, side(region.y2 - region.y1, p.aligned), p.pooled_h, p.sampling_ratio);
  const float mean = 1 / static_cast<float>(x.samples * y.samples);

  // One thread a bin, and one for the row.
  const int thread = threadIdx.y * blockDim.x + threadIdx.x, threads = blockDim.x * blockDim.y;
  for (int b = thread; b <= p.pooled_w; b += threads) {
    if (b == p.pooled_w)
      row_count = take_taps(y, ph, level.height, rows);
    else
      column_counts[b] = take_taps(x, b, level.width, columns + b * kMostTaps);
  }
  __syncthreads();

  const T* map = static_cast<const T*>(level.map) +
                 static_cast<std::int64_t>(region.image) * level.height * level.width * p.channels;
  for (int pw = threadIdx.y; pw < p.pooled_w; pw += blockDim.y)
    for (int c = threadIdx.x * width; c < p.channels; c += blockDim.x * width) {
      float sums[width] = {};
      if (row_count >= 0 && column_counts[pw] >= 0) {
        const Tap* taps = columns + pw * kMostTaps;
        for (int i = 0; i < row_count; i++)
          for (int j = 0; j < column_counts[pw]; j++)
            add_pixel<T, width>(
                map + (static_cast<std::int64_t>(rows[i].index) * level.width + taps[j].index) * p.channels +
                    c,
                rows[i].weight * taps[j].weight, sums);
      } else {
        // Bins of very large regions: sample by sample.
        for (int i = 0; i < y.samples; i++)
          for (int j = 0; j < x.samples; j++)
            add_sample_at<T, width>(map + c, level, p.channels, x.at(pw, j), y.at(ph, i), sums);
      }
      Pack<T, width> bins;
#pragma unroll
      for (int k = 0; k < width; k++) bins.values[k] = from_float<T>(sums[k] * mean);
      *reinterpret_cast<Pack<T, width>*>(to + static_cast<std::int64_t>(pw) * p.channels + c) = bins;
    }
}

// Blocks and threads as in pool_kernel.
template <class T, int width>
__global__ void rotated_pool_kernel(PooledRegions p) {
  constexpr int kMostSamples = 1 << 16;  // of a bin
  const PooledLevel& level = p.levels[0];
  const std::int64_t row = blockIdx.x;
  const int ph = static_cast<int>(blockIdx.y);
  T* to = static_cast<T*>(p.to) + (row * p.pooled_h + ph) * p.pooled_w * p.channels;
  const float* roi = level.rois + row * level.columns;
  const float image = level.columns > 5 ? *roi : 0, offset = p.aligned ? 0.5F : 0.0F;
  const bool known = image >= 0 && image < static_cast<float>(p.images);
  roi += level.columns - 5;
  const float centre_x = roi[0] * level.scale - offset, centre_y = roi[1] * level.scale - offset;
  const float w = side(roi[2] * level.scale, p.aligned), h = side(roi[3] * level.scale, p.aligned);
  const double theta = roi[4] * 3.14159265F / 180.0F;
  const auto across = static_cast<float>(cos(theta)), down = static_cast<float>(sin(theta));
  const Axis along_x(-w / 2, w, p.pooled_w, p.sampling_ratio),
      along_y(-h / 2, h, p.pooled_h, p.sampling_ratio);
  const std::int64_t samples = static_cast<std::int64_t>(along_x.samples) * along_y.samples;
  if (!known || samples > kMostSamples) {
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
    for (int i = thread; i < p.pooled_w * p.channels; i += blockDim.x * blockDim.y)
      to[i] = from_float<T>(image == -1 ? 0 : std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const float mean = 1 / static_cast<float>(samples);
  const T* map = static_cast<const T*>(level.map) +
                 static_cast<std::int64_t>(image) * level.height * level.width * p.channels;
  for (int pw = threadIdx.y; pw < p.pooled_w; pw += blockDim.y)
    for (int c = threadIdx.x * width; c < p.channels; c += blockDim.x * width) {
      float sums[width] = {};
      for (int i = 0; i < along_y.samples; i++)
        for (int j = 0; j < along_x.samples; j++) {
          const float x = along_x.at(pw, j), y = along_y.at(ph, i);
          add_sample_at<T, width>(map + c, level, p.channels, x * across + y * down + centre_x,
                                  y * across - x * down + centre_y, sums);
        }
      Pack<T, width> bins;
#pragma unroll
      for (int k = 0; k < width; k++) bins.values[k] = from_float<T>(sums[k] * mean);
      *reinterpret_cast<Pack<T, width>*>(to + static_cast<std::int64_t>(pw) * p.channels + c) = bins;
    }
}

template <class T, int width>
void pool(const PooledRegions& p, bool rotated, cudaStream_t stream) {
  const int packs = (p.channels + width - 1) / width;
  const int along_channels = std::min(kThreads, (packs + 31) / 32 * 32);
  const int along_bins = std::clamp(kThreads / along_channels, 1, p.pooled_w);
  const dim3 grid(static_cast<unsigned>(p.regions), static_cast<unsigned>(p.pooled_h));
  const dim3 block(static_cast<unsigned>(along_channels), static_cast<unsigned>(along_bins));
  if (rotated) return launch(rotated_pool_kernel<T, width>, grid, block, 0, stream, p);
  const std::size_t taps = static_cast<std::size_t>(p.pooled_w) * kMostTaps * sizeof(Tap);
  launch(pool_kernel<T, width>, grid, block, taps, stream, p);
}

void pool(const PooledRegions& p, bool rotated, cudaStream_t stream) {
  if (p.regions == 0 || p.channels == 0) return;
  with_type(p.type, [&](auto t) {
    using T = decltype(t);
    if (p.channels % kPack<T> == 0)
      pool<T, kPack<T>>(p, rotated, stream);
    else
      pool<T, 1>(p, rotated, stream);
  });
}

}  // namespace

void pool_regions(const PooledRegions& p, cudaStream_t stream) { pool(p, false, stream); }
void pool_rotated_regions(const PooledRegions& p, cudaStream_t stream) { pool(p, true, stream); }

}  // namespace caffe2rt::cuda
