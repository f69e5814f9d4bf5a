#include "kernels/winograd.h"

#include <algorithm>
#include <cstring>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/int16_product.h"
#include "kernels/matmul-inl.h"
#include "kernels/past_caches.h"

// What is the same for every vector width: once a file, however often it is included.
#ifndef CAFFE2RT_WINOGRAD_LAYOUT
#define CAFFE2RT_WINOGRAD_LAYOUT
namespace caffe2rt::winograd {

inline int tiles_across(const Problem& p) { return (p.out_width() + kTile - 1) / kTile; }
inline int tiles_down(const Problem& p) { return (p.out_height() + kTile - 1) / kTile; }
inline int count_tiles(const Problem& p) { return p.images * tiles_down(p) * tiles_across(p); }

inline size_t count_results(const Problem& p) {
  return static_cast<size_t>(p.images) * p.out_height() * p.out_width() * p.filters;
}

inline size_t count_panels(int filters) {
  return (static_cast<size_t>(filters) + matmul::kPanel - 1) / matmul::kPanel;
}

// Tiles of a block. Its matrices should stay near the processor, the weights, which every block reads once,
// should be read seldom, and no thread should wait for another's last block.
inline int tiles_of_block(const Problem& p) {
  constexpr int kStep = 14, kLeast = 28,
                kMost = 112;  // whole numbers of rows that the product takes at a time
  constexpr size_t kScratch = 1200 * 1024 / sizeof(float);
  const size_t widest = std::max(p.channels, p.filters);
  const int fit =
      std::clamp(static_cast<int>(kScratch / (widest * (kPoints + 1))) / kStep * kStep, kLeast, kMost);
  const int all = count_tiles(p), rounds = std::max(1, (all + fit * p.threads / 2) / (fit * p.threads));
  return std::clamp((all + rounds * p.threads - 1) / (rounds * p.threads), 1, kMost);
}

// Where a tile's results lie: in pixels of the output.
struct Tile {
  int image, top, left;

  Tile(const Problem& p, int index)
      : image(index / (tiles_across(p) * tiles_down(p))),
        top(index / tiles_across(p) % tiles_down(p) * kTile),
        left(index % tiles_across(p) * kTile) {}
};

// How the weights of 16 bit integers lie in memory: a matrix a point, then a scale a filter for each.
struct Int16Weights {
  size_t matrix, columns;  // words from one matrix to the next, scales from one point's to the next

  Int16Weights(int channels, int filters)
      : matrix(int16_product::packed_size(channels, count_panels(filters))),
        columns(count_panels(filters) * matmul::kPanel) {
    static_assert(matmul::kPanel == int16_product::kPanel);
  }
  size_t words() const { return kPoints * (matrix + columns); }
  template <class Word>
  Word* scales(Word* packed) const {
    return packed + kPoints * matrix;
  }
};

// How a thread's scratch memory is used: a pixel of zeros, one matrix more than there are points, and where
// they become integers a scale for each of their rows.
struct Layout {
  int tiles;           // rows of a matrix
  size_t row, matrix;  // elements from one to the next
  float *zeros, *matrices, *scales;

  Layout(const Problem& p, float* scratch)
      : tiles(tiles_of_block(p)),
        row(row_of(p)),
        matrix(row * tiles),
        zeros(scratch),
        matrices(scratch + row),
        scales(matrices + (kPoints + 1) * matrix) {
    std::fill_n(zeros, row, 0.0F);
  }

  static size_t size(const Problem& p) {
    const size_t rows = static_cast<size_t>(tiles_of_block(p));
    return row_of(p) * (1 + (kPoints + 1) * rows) + (kPoints * rows + 15) / 16 * 16;
  }

 private:
  // Rows at a power of two would compete for the same lines of the cache.
  static size_t row_of(const Problem& p) {
    return std::max((static_cast<size_t>(p.channels) + 15) / 16 * 16,
                    count_panels(p.filters) * matmul::kPanel) +
           16;
  }
};

}  // namespace caffe2rt::winograd
#endif

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::winograd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace mm = matmul::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using mm::kLanes;

// One column of B^T d: 6 -> 6.
HWY_INLINE void transform_input(const Vec d0, const Vec d1, const Vec d2, const Vec d3, const Vec d4,
                                const Vec d5, Vec (&o)[6]) {
  const Tag tag;
  const Vec two = hn::Set(tag, 2.0F), four = hn::Set(tag, 4.0F), five = hn::Set(tag, 5.0F);
  const Vec a = hn::NegMulAdd(four, d2, d4), b = hn::NegMulAdd(four, d1, d3);  // d4 - 4 d2, d3 - 4 d1
  const Vec c = hn::Sub(d4, d2), e = hn::Mul(two, hn::Sub(d3, d1));
  o[0] = hn::MulAdd(four, d0, hn::NegMulAdd(five, d2, d4));
  o[1] = hn::Add(a, b);
  o[2] = hn::Sub(a, b);
  o[3] = hn::Add(c, e);
  o[4] = hn::Sub(c, e);
  o[5] = hn::MulAdd(four, d1, hn::NegMulAdd(five, d3, d5));
}

// One column of A^T m: 6 -> 4.
HWY_INLINE void transform_output(const Vec m0, const Vec m1, const Vec m2, const Vec m3, const Vec m4,
                                 const Vec m5, Vec (&o)[4]) {
  const Tag tag;
  const Vec two = hn::Set(tag, 2.0F), four = hn::Set(tag, 4.0F), eight = hn::Set(tag, 8.0F);
  const Vec sum12 = hn::Add(m1, m2), dif12 = hn::Sub(m1, m2), sum34 = hn::Add(m3, m4),
            dif34 = hn::Sub(m3, m4);
  o[0] = hn::Add(hn::Add(m0, sum12), sum34);
  o[1] = hn::MulAdd(two, dif34, dif12);
  o[2] = hn::MulAdd(four, sum34, sum12);
  o[3] = hn::Add(hn::MulAdd(eight, dif34, dif12), m5);
}

// A vector is a line of the caches and is written past them.
struct WholeLines {
  HWY_INLINE Vec load(const float* from) const { return hn::LoadU(Tag(), from); }
  HWY_INLINE void store(Vec v, float* to) const { hn::Stream(v, Tag(), to); }
};

struct WholeVectors {
  HWY_INLINE Vec load(const float* from) const { return hn::LoadU(Tag(), from); }
  HWY_INLINE void store(Vec v, float* to) const { hn::StoreU(v, Tag(), to); }
};

// Vectors at the end of an array, of which only the first lanes are there.
struct FirstLanes {
  size_t count;

  HWY_INLINE Vec load(const float* from) const {
    HWY_ALIGN float lanes[kLanes] = {};
    std::copy_n(from, count, lanes);
    return hn::Load(Tag(), lanes);
  }
  HWY_INLINE void store(Vec v, float* to) const {
    HWY_ALIGN float lanes[kLanes];
    hn::Store(v, Tag(), lanes);
    std::copy_n(lanes, count, to);
  }
};

// The channels from `from` on of 36 pixels -> the same channels of a row of 36 matrices. `Load` reads a
// vector.
template <class Access>
HWY_INLINE void input_tile(const float* const (&pixels)[kPoints], size_t from, float* v, size_t matrix_step,
                           Access access) {
  const Tag tag;
  HWY_ALIGN float part[kPoints * kLanes];
#pragma GCC unroll 1
  for (int j = 0; j < 6; j++) {
    Vec o[6];
    transform_input(access.load(pixels[j] + from), access.load(pixels[6 + j] + from),
                    access.load(pixels[12 + j] + from), access.load(pixels[18 + j] + from),
                    access.load(pixels[24 + j] + from), access.load(pixels[30 + j] + from), o);
    for (int i = 0; i < 6; i++) hn::Store(o[i], tag, part + (i * 6 + j) * kLanes);
  }
#pragma GCC unroll 1
  for (int i = 0; i < 6; i++) {
    const float* row = part + i * 6 * kLanes;
    Vec o[6];
    transform_input(hn::Load(tag, row), hn::Load(tag, row + kLanes), hn::Load(tag, row + 2 * kLanes),
                    hn::Load(tag, row + 3 * kLanes), hn::Load(tag, row + 4 * kLanes),
                    hn::Load(tag, row + 5 * kLanes), o);
    for (int j = 0; j < 6; j++) hn::Store(o[j], tag, v + (i * 6 + j) * matrix_step + from);
  }
}

void transform_inputs(const Problem& p, int first_tile, int tiles, float* v, const Layout& layout) {
  const size_t channels = p.channels, whole = channels / kLanes * kLanes;
  const FirstLanes tail{channels - whole};
  for (int t = 0; t < tiles; t++, v += layout.row) {
    const Tile tile(p, first_tile + t);
    const float* pixels[kPoints];
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 6; j++) {
        const int row = tile.top - p.pad + i, column = tile.left - p.pad + j;
        const bool inside = row >= 0 && row < p.height && column >= 0 && column < p.width;
        pixels[i * 6 + j] =
            inside ? p.x + ((static_cast<size_t>(tile.image) * p.height + row) * p.width + column) * channels
                   : layout.zeros;
      }
    for (size_t c = 0; c < whole; c += kLanes) input_tile(pixels, c, v, layout.matrix, WholeVectors());
    if (whole < channels) input_tile(pixels, whole, v, layout.matrix, tail);
    if (p.numbers == Numbers::kFloat32) continue;
    for (size_t i = 0; i < kPoints; i++) {
      float* row = v + i * layout.matrix;
      layout.scales[i * layout.tiles + t] =
          int16_product::quantize(row, channels, reinterpret_cast<std::int16_t*>(row));
    }
  }
}

// A row's filters from `from` on of 36 matrices -> the same filters of 4x4 pixels.
// `Access` loads and stores vectors of the caller's arrays.
template <class Access>
HWY_INLINE void output_tile(const Problem& p, const Tile& tile, const float* m, size_t from,
                            size_t matrix_step, Access access) {
  const Tag tag;
  HWY_ALIGN float part[4 * 6 * kLanes];
#pragma GCC unroll 1
  for (int j = 0; j < 6; j++) {
    const auto load = [&](int i) { return hn::Load(tag, m + (i * 6 + j) * matrix_step + from); };
    Vec o[4];
    transform_output(load(0), load(1), load(2), load(3), load(4), load(5), o);
    for (int i = 0; i < 4; i++) hn::Store(o[i], tag, part + (i * 6 + j) * kLanes);
  }
  const Vec bias = p.bias ? access.load(p.bias + from) : hn::Zero(tag);
  const int rows = std::min(kTile, p.out_height() - tile.top),
            columns = std::min(kTile, p.out_width() - tile.left);
#pragma GCC unroll 1
  for (int i = 0; i < rows; i++) {
    const float* row = part + i * 6 * kLanes;
    Vec o[4];
    transform_output(hn::Load(tag, row), hn::Load(tag, row + kLanes), hn::Load(tag, row + 2 * kLanes),
                     hn::Load(tag, row + 3 * kLanes), hn::Load(tag, row + 4 * kLanes),
                     hn::Load(tag, row + 5 * kLanes), o);
    const size_t offset =
        ((static_cast<size_t>(tile.image) * p.out_height() + tile.top + i) * p.out_width() + tile.left) *
            p.filters +
        from;
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      if (j >= columns) break;
      const size_t at = offset + static_cast<size_t>(j) * p.filters;
      Vec y = hn::Add(o[j], bias);
      if (p.residual) y = hn::Add(y, access.load(p.residual + at));
      if (p.relu) y = hn::Max(y, hn::Zero(tag));
      access.store(y, p.y + at);
    }
  }
}

void transform_outputs(const Problem& p, int first_tile, int tiles, const float* m, const Layout& layout) {
  const size_t filters = p.filters, whole = filters / kLanes * kLanes;
  const FirstLanes tail{filters - whole};
  const bool lines = kLanes == kLineFloats && past_caches(p.y, count_results(p), filters);
  for (int t = 0; t < tiles; t++, m += layout.row) {
    const Tile tile(p, first_tile + t);
    for (size_t k = 0; k < whole; k += kLanes) {
      if (lines)
        output_tile(p, tile, m, k, layout.matrix, WholeLines());
      else
        output_tile(p, tile, m, k, layout.matrix, WholeVectors());
    }
    if (whole < filters) output_tile(p, tile, m, whole, layout.matrix, tail);
  }
}

// products (tiles,filters) = inputs (tiles,channels) times the weights of a point.
void multiply_point(const Problem& p, size_t point, int tiles, const float* inputs, float* products,
                    const Layout& layout) {
  const size_t channels = p.channels, panels = count_panels(p.filters);
  if (p.numbers == Numbers::kFloat32) {
    mm::multiply({inputs, layout.row, channels}, tiles,
                 static_cast<const float*>(p.packed) + point * channels * panels * matmul::kPanel, panels,
                 products, layout.row);
    return;
  }
  const Int16Weights weights(p.channels, p.filters);
  const auto* packed = static_cast<const std::int32_t*>(p.packed);
  int16_product::multiply(
      {.a = reinterpret_cast<const std::int32_t*>(inputs),
       .a_step = layout.row,
       .rows = static_cast<size_t>(tiles),
       .pairs = int16_product::pairs_of(channels),
       .panels = panels,
       .packed = packed + point * weights.matrix,
       .row_scales = layout.scales + point * layout.tiles,
       .column_scales = weights.scales(static_cast<const float*>(p.packed)) + point * weights.columns,
       .c = products,
       .c_step = layout.row});
}

void Run(const Problem& p, int first, int last, float* scratch) {
  const Layout layout(p, scratch);
  for (int block = first; block < last; block++) {
    const int first_tile = block * layout.tiles, tiles = std::min(layout.tiles, count_tiles(p) - first_tile);
    // The products overwrite the transformed inputs one matrix behind: matrix i+1 is read while i is written.
    float *products = layout.matrices, *inputs = products + layout.matrix;
    transform_inputs(p, first_tile, tiles, inputs, layout);
    for (size_t i = 0; i < kPoints; i++)
      multiply_point(p, i, tiles, inputs + i * layout.matrix, products + i * layout.matrix, layout);
    transform_outputs(p, first_tile, tiles, products, layout);
  }
  hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::winograd {

HWY_EXPORT(Run);

size_t packed_size(Numbers numbers, int channels, int filters) {
  const size_t words = numbers == Numbers::kInt16
                           ? Int16Weights(channels, filters).words()
                           : kPoints * static_cast<size_t>(channels) * count_panels(filters) * matmul::kPanel;
  return words * sizeof(float);
}

namespace {

// G of the paper: 3 -> 6.
constexpr double kG[6][3] = {{1. / 4, 0, 0},
                             {-1. / 6, -1. / 6, -1. / 6},
                             {-1. / 6, 1. / 6, -1. / 6},
                             {1. / 24, 1. / 12, 1. / 6},
                             {1. / 24, -1. / 12, 1. / 6},
                             {0, 0, 1}};

// Calls take(point, number) for the 36 numbers that 9 weights become.
template <class Take>
void transform_weights(const float* g, Take&& take) {
  for (int i = 0; i < 6; i++) {
    double row[3];
    for (int j = 0; j < 3; j++) row[j] = kG[i][0] * g[j] + kG[i][1] * g[3 + j] + kG[i][2] * g[6 + j];
    for (int j = 0; j < 6; j++)
      take(i * 6 + j, static_cast<float>(kG[j][0] * row[0] + kG[j][1] * row[1] + kG[j][2] * row[2]));
  }
}

void pack_float32(const float* filter, int channels, int filters, float* packed) {
  const size_t matrix = static_cast<size_t>(channels) * count_panels(filters) * matmul::kPanel;
  for (int k = 0; k < filters; k++)
    for (int c = 0; c < channels; c++) {
      float* to = packed + (static_cast<size_t>(k) / matmul::kPanel * channels + c) * matmul::kPanel +
                  k % matmul::kPanel;
      transform_weights(filter + (static_cast<size_t>(k) * channels + c) * 9,
                        [&](int point, float number) { to[point * matrix] = number; });
    }
}

void pack_int16(const float* filter, int channels, int filters, std::int32_t* packed) {
  const Int16Weights weights(channels, filters);
  float* scales = weights.scales(reinterpret_cast<float*>(packed));
  std::vector<float> column(static_cast<size_t>(channels) * kPoints);
  for (int k = 0; k < filters; k++) {
    for (int c = 0; c < channels; c++)
      transform_weights(filter + (static_cast<size_t>(k) * channels + c) * 9,
                        [&](int point, float number) { column[c * kPoints + point] = number; });
    for (size_t point = 0; point < kPoints; point++)
      scales[point * weights.columns + k] =
          int16_product::pack_column(column.data() + point, channels, kPoints,
                                     reinterpret_cast<std::int16_t*>(packed + point * weights.matrix), k);
  }
}

}  // namespace

void pack(Numbers numbers, const float* filter, int channels, int filters, void* packed) {
  std::memset(packed, 0, packed_size(numbers, channels, filters));
  if (numbers == Numbers::kInt16)
    pack_int16(filter, channels, filters, static_cast<std::int32_t*>(packed));
  else
    pack_float32(filter, channels, filters, static_cast<float*>(packed));
}

int count_blocks(const Problem& problem) {
  const int tiles = tiles_of_block(problem);
  return (count_tiles(problem) + tiles - 1) / tiles;
}

size_t scratch_size(const Problem& problem) { return Layout::size(problem); }

void run(const Problem& problem, int first, int last, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Run)(problem, first, last, scratch);
}

}  // namespace caffe2rt::winograd
#endif
