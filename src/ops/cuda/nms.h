// Suppression of boxes on a GPU, of several lists at once: each list's boxes lie best first,
// as geometry/nms.h takes them. A matrix of bits says which box gives way to which; one block of threads a
// list then walks through it.
#pragma once

#include "geometry/suppress.h"
#include "ops/cuda/boxes.h"
#include "ops/cuda/limits.h"

namespace caffe2rt::cuda {

constexpr int kWordBits = 64;

inline int words_for(int boxes) { return (boxes + kWordBits - 1) / kWordBits; }

struct BoxLists {
  const void* boxes = nullptr;  // (lists,most) of what `rotated` says
  bool rotated = false;
  const std::uint8_t* valid = nullptr;  // (lists,most): 0 for boxes that are to be passed over; null: none is
  const int* sizes = nullptr;           // (lists): how many of `most`; null: all
  int lists = 0, most = 0;
  float threshold = 0.5F, one = 0;
  int limit = 0;                  // how many a list keeps at most
  std::uint64_t* mask = nullptr;  // (lists,most,words_for(most)), for its own use
  int* kept = nullptr;            // (lists,limit): positions of those kept, in order
  int* kept_sizes = nullptr;      // (lists): how many
};
void suppress_boxes(const BoxLists& b, cudaStream_t stream);

// Soft-NMS of several lists at once, a block of threads each.
struct SoftBoxLists {
  const void* boxes = nullptr;  // (lists,most) of what `rotated` says
  bool rotated = false;
  const std::int64_t* keys =
      nullptr;  // (lists,most): order_keys of their scores; of equal scores the better key goes first
  const int* sizes = nullptr;  // (lists): how many of `most`
  int lists = 0, most = 0;
  SoftNms how;
  float one = 0;
  int limit = 0;             // how many a list keeps at most
  float* scores = nullptr;   // (lists,most), for its own use
  int* kept = nullptr;       // (lists,limit): positions of those kept, in the order in which they were picked
  float* lowered = nullptr;  // (lists,limit): their scores then
  int* kept_sizes = nullptr;  // (lists): how many
};
void soften_boxes(const SoftBoxLists& b, cudaStream_t stream);

}  // namespace caffe2rt::cuda
