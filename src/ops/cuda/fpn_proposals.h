// Kernels of CollectRpnProposals and DistributeFpnProposals. Regions are rows of an image and a box.
#pragma once

#include "geometry/pyramid_level.h"
#include "ops/cuda/boxes.h"

namespace caffe2rt::cuda {

// to[i] = minus the rank (geometry/suppress.h) of scores[i]: rising for falling scores, not-a-number last.
void make_rank_keys(const float* scores, std::int64_t count, std::int64_t* to, cudaStream_t stream);

// Of `rows` regions (rows,columns), images in order: whether each is among the first `most` of its image.
void mark_first(const float* rois, std::int64_t rows, int columns, int most, bool* to, cudaStream_t stream);

// Of `rows` regions (rows,5): numbers that rise by image, then for falling scores; those of empty slots last.
void make_slot_keys(const float* rois, const float* scores, std::int64_t rows, std::int64_t* to,
                    cudaStream_t stream);

struct CollectedSlots {
  const std::int64_t* keys = nullptr;   // (rows), rising
  const std::int64_t* order = nullptr;  // (rows): which region each key is of
  const float* rois = nullptr;          // (rows,5)
  std::int64_t rows = 0;
  int images = 0, slots = 0;  // `slots`: of an image
  float* to = nullptr;        // (images*slots,5)
};
void collect_slots(const CollectedSlots& c, cudaStream_t stream);

struct LeveledRegions {
  bool rotated = false;         // of boxes of S numbers: 4, or 5
  const float* rois = nullptr;  // (R,columns): S numbers of a box, and before them the image with S + 1
  std::int64_t rows = 0;
  int columns = 5;
  PyramidLevels pyramid;
  float one = 0;
  int* levels = nullptr;  // (R), counted from the lowest
  int* sizes = nullptr;   // (number of levels), zero before: how many regions each has
};
void find_levels(const LeveledRegions& l, cudaStream_t stream);

struct SortedRegions {
  const float* rois = nullptr;          // (R,columns)
  const std::int64_t* order = nullptr;  // (R): which region each row of `to` is
  std::int64_t rows = 0;
  int columns = 5;
  bool rotated = false;
  float* to = nullptr;     // (R,5); rotated: (R,6)
  int* restore = nullptr;  // (R): the row of `to` that each region went to
};
void sort_regions(const SortedRegions& s, cudaStream_t stream);

}  // namespace caffe2rt::cuda
