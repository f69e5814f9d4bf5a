// Winograd F(4x4,3x3) and F(6x6,3x3): a 3x3 convolution of stride 1 by a quarter, or a fifth, of the
// multiplications. Tiles of 6x6 or 8x8 pixels become 36 or 64 matrix products, and those tiles of 4x4 or 6x6
// results; the larger ones round twice as coarsely. Plain pointers, no tensors; every vector width that the
// processor has, chosen when it runs.
//
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks,
// https://arxiv.org/abs/1509.09308.
#pragma once

#include <cstddef>

#include "kernels/encoding.h"

namespace caffe2rt::winograd {

// What the matrix products multiply.
enum class Numbers {
  kFloat32,
  kInt16,  // rounded to integers with a scale a tile and a scale a filter: see int16_product.h
  kInt8,   // as kInt16, of filters that have 8 bits before they are transformed
};

constexpr int kGroupStep = 16, kMostColumns = 32;

// What the packed weights of a convolution are made for.
struct Weights {
  Numbers numbers = Numbers::kFloat32;
  int tile = 4;  // pixels of output along each side of a tile, 4, or in float32 6
  int channels = 0, filters = 0;
  int groups = 1;  // of channels, whose filters see no others; several only of kGroupStep channels and
                   // filters, or a multiple, each and in float32

  int points() const { return (tile + 2) * (tile + 2); }  // matrices
  int group_channels() const { return channels / groups; }
  int group_filters() const { return filters / groups; }
};

// What one convolution is made of. x, residual and y may be of any format.
struct Problem {
  Weights weights;
  int images = 0, height = 0, width = 0;  // of input and output alike
  int pad = 1;                            // 0: the output is two pixels smaller each way
  // Tiles may reach from one image to the next, with a line of zeros between them: fewer tiles for small
  // images, whose results then depend on their neighbours' by rounding.
  bool joined = false;
  int threads = 1;                 // that will share the blocks
  Source x;                        // (images,height,width,channels)
  const void* packed = nullptr;    // pack()
  const void* matrices = nullptr;  // make_matrices(); null in float32
  const float* bias = nullptr;     // (filters), or null
  Source residual;                 // like y, added before the activation, or none
  bool relu = false;
  // A convolution of single pixels that alone reads the results, which then are never in memory: its weights
  // as matmul_conv::pack() has them, its filters, at most kMostColumns, and their bias, or null. In float32,
  // without a residual, of one group.
  const float* pointwise = nullptr;
  int columns = 0;
  const float* pointwise_bias = nullptr;
  Target y;  // (images,out_height(),out_width(),filters), or (...,columns)

  int out_height() const { return height + 2 * pad - 2; }
  int out_width() const { return width + 2 * pad - 2; }
};

// Bytes of the packed weights.
size_t packed_size(const Weights& weights);

// (filters,channels of a group,3,3), contiguous -> packed weights, for the vectors that run() will use.
void pack(const Weights& weights, const float* filter, void* packed);

// The matrices that are multiplied: of float32 they are the packed weights. Of integers, where they take four
// or eight times the memory of these, they are made before a run: their bytes, 0 for float32; the parts, from
// 0 on, that may be made apart; and parts [first, last), on a boundary of 64 bytes.
size_t matrices_size(const Weights& weights);
int count_parts(const Weights& weights);
void make_matrices(const Weights& weights, const void* packed, int first, int last, void* matrices);

// Blocks of tiles that can be computed apart from each other, and the elements of scratch memory that a
// thread needs, on a boundary of 64 bytes.
int count_blocks(const Problem& problem);
size_t scratch_size(const Problem& problem);

// Computes blocks [first, last), and gives whether all of their results are finite: what is not may come from
// a neighbour where images are joined. Different blocks may run in different threads, each with scratch of
// its own.
bool run(const Problem& problem, int first, int last, float* scratch);

}  // namespace caffe2rt::winograd
