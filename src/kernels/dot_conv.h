// Convolution of bfloat16 or 8 bit numbers as a product of matrices. Some processors have sums of products of
// such numbers: twice or four times as many at a time as of float32; on all others 8 bit ones are multiplied
// as 16 bit ones, twice as many. Rows of float32 are converted when they are gathered, sums are float32 or
// int32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_conv.h"

namespace caffe2rt::dot_conv {

enum class Kind {
  kBfloat16,  // products of bfloat16, rounded to nearest even; sums in float32
  kInt8,      // products of uint8 and int8; sums in int32
};

enum class Way {
  kPlain,    // one sum at a time: what the others are compared with
  kWidened,  // vectors of any processor, of numbers twice as wide: float32, and 16 bit integers
  kVectors,  // AVX-512 with BF16 or VNNI
  kTiles,    // tile registers (AMX); without them their product is computed by plain loops
};

// Whether this processor can go this way, and which is the fastest.
bool has(Way way, Kind kind);
Way fastest(Kind kind);

struct Problem {
  // All but `packed`. x: float32, bfloat16, or the numbers that are multiplied; residual and y: of any
  // format.
  matmul_conv::Problem conv;
  Kind kind = Kind::kBfloat16;
  Way way = Way::kPlain;         // REQUIRES: has(way, kind)
  const void* packed = nullptr;  // pack_bfloat16() or pack_int8()

  // Of kInt8: x is about input_scale * (q - input_zero) with q from 0 to 255, and a sum of q times the packed
  // weights, begun with offsets[m], stands for scales[m] times as much.
  float input_scale = 1;
  int input_zero = 0;
  const float* scales = nullptr;          // (filters)
  const std::int32_t* offsets = nullptr;  // (filters)
};

// Bytes of the packed weights.
size_t packed_size(Kind kind, size_t depth, size_t filters);

// (filters,channels,pixels of the window), contiguous -> packed weights.
void pack_bfloat16(const float* filter, size_t filters, size_t channels, size_t window, void* packed);
void pack_int8(const std::int8_t* filter, size_t filters, size_t channels, size_t window, void* packed);

// As in matmul_conv.h; the scratch size is in floats.
int count_blocks(const Problem& problem);
size_t scratch_size(const Problem& problem);
void run(const Problem& problem, int first, int last, float* scratch);

}  // namespace caffe2rt::dot_conv
