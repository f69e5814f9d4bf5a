// RoIAlign of upright regions on the levels of a pyramid, in one launch, and of rotated ones on one map. The
// expressions are those of ops/roi_pooling.h, the order of the sum too.
#pragma once

#include "geometry/pyramid_level.h"
#include "ops/cuda/launch.h"
#include "ops/cuda/limits.h"

namespace caffe2rt::cuda {

constexpr int kMostTaps = 64;  // rows, or columns, of a bin that a block of threads keeps

struct PooledLevel {
  const void* map = nullptr;    // (N,H,W,C), as channels_last memory lies
  const float* rois = nullptr;  // rows of `columns` numbers: x1, y1, x2, y2, and before them the image with 5
  std::int64_t rois_end = 0;    // of its regions among those of all levels
  int height = 0, width = 0, columns = 0;
  float scale = 1;
};

struct PooledRegions {
  PooledLevel levels[kMostLevels];
  int level_count = 0;
  // By size: all regions are those of the first level, and each is pooled from the level that its size says.
  bool by_size = false;
  PyramidLevels pyramid;
  float one = 0;
  // Which region each row of `to` is, counted through all levels; none: each its own. A number past the last
  // region, and an image past the last one, give not-a-number: the CPU refuses both. Image -1 gives zeros
  // (slots.h).
  const int* order = nullptr;
  std::int64_t regions = 0;
  int images = 0, channels = 0, pooled_h = 1, pooled_w = 1, sampling_ratio = 0;
  bool aligned = false;
  void* to = nullptr;              // (R,pooled_h,pooled_w,C)
  Numbers type = Numbers::kFloat;  // of the maps and of `to`
};
void pool_regions(const PooledRegions& p, cudaStream_t stream);

// Rows of regions end in x, y, w, h and degrees. REQUIRES: there is one level. Not-a-number for a region of
// so many samples that the CPU refuses it.
void pool_rotated_regions(const PooledRegions& p, cudaStream_t stream);

}  // namespace caffe2rt::cuda
