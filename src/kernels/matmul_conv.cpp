#include "kernels/matmul_conv.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul_conv.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/im2row.h"
#include "kernels/matmul-inl.h"

// What is the same for every vector width: once a file, however often it is included.
#ifndef CAFFE2RT_MATMUL_CONV_LAYOUT
#define CAFFE2RT_MATMUL_CONV_LAYOUT
namespace caffe2rt::matmul_conv {

inline size_t count_panels(size_t filters) { return (filters + matmul::kPanel - 1) / matmul::kPanel; }

// Rows of 32 bit numbers in scratch memory: of a slice, or whole where they are gathered.
inline size_t scratch_step(const Problem& p) {
  return im2row::step_of(im2row::is_plain(p) ? im2row::slice_of_depth(p.depth()) : p.depth());
}
inline size_t rows_of_block(const Problem& p) {
  return im2row::rows_of_block(p, scratch_step(p) * sizeof(float));
}

// A few floats by the two ends of them, which may overlap.
template <size_t kHalf>
float* copy_ends(const float* from, size_t count, float* to) {
  std::copy_n(from, kHalf, to);
  std::copy_n(from + count - kHalf, kHalf, to + count - kHalf);
  return to + count;
}

struct Copy {
  float* operator()(const float* from, size_t count, float* to) const {
    if (count > 32) return std::copy_n(from, count, to);
    if (count >= 16) return copy_ends<16>(from, count, to);
    if (count >= 8) return copy_ends<8>(from, count, to);
    if (count >= 4) return copy_ends<4>(from, count, to);
    for (size_t i = 0; i < count; i++) to[i] = from[i];
    return to + count;
  }
  float* zeros(size_t count, float* to) const { return std::fill_n(to, count, 0.0F); }
};

}  // namespace caffe2rt::matmul_conv
#endif

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::matmul_conv {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace mm = matmul::HWY_NAMESPACE;

using mm::Tag;
using mm::Vec;

// Vectors of the output's rows: whole ones, or the first lanes of those that go beyond the last filter.
struct WholeRow {
  // The line will be there when it is written.
  HWY_INLINE void expect(const float* line) const { hwy::Prefetch(line); }
  HWY_INLINE Vec load(const float* from, size_t) const { return hn::LoadU(Tag(), from); }
  HWY_INLINE void store(Vec v, float* to, size_t) const { hn::StoreU(v, Tag(), to); }
};

// Whole lines that are written past the caches.
struct RowPastCaches : WholeRow {
  HWY_INLINE void expect(const float*) const {}
  HWY_INLINE void store(Vec v, float* to, size_t) const { hn::Stream(v, Tag(), to); }
};

struct RowEnd {
  size_t filters;  // from the tile's first column on

  HWY_INLINE void expect(const float* line) const { hwy::Prefetch(line); }
  size_t count(size_t column) const { return column < filters ? std::min(mm::kLanes, filters - column) : 0; }
  // Narrow vectors have no loads and stores of a part.
  HWY_INLINE Vec load(const float* from, size_t column) const {
#if HWY_TARGET <= HWY_AVX2
    return hn::MaskedLoad(hn::FirstN(Tag(), count(column)), Tag(), from);
#else
    HWY_ALIGN float lanes[mm::kLanes] = {};
    std::copy_n(from, count(column), lanes);
    return hn::Load(Tag(), lanes);
#endif
  }
  HWY_INLINE void store(Vec v, float* to, size_t column) const {
#if HWY_TARGET <= HWY_AVX2
    hn::BlendedStore(v, hn::FirstN(Tag(), count(column)), Tag(), to);
#else
    HWY_ALIGN float lanes[mm::kLanes];
    hn::Store(v, Tag(), lanes);
    std::copy_n(lanes, count(column), to);
#endif
  }
};

// What a tile's sums begin with and what becomes of them. A depth of several slices is summed up in the
// output.
template <class Row>
struct Finish {
  const float *bias, *residual;  // of the tile's first column, or null; the residual in the last slice
  float* y;                      // of the tile's first row and column
  size_t step;
  bool first, last, relu;
  Row row;

  HWY_INLINE Vec begin(size_t r, size_t column) const {
    row.expect(y + r * step + column);
    if (residual) hwy::Prefetch(residual + r * step + column);
    if (!first) return row.load(y + r * step + column, column);
    return bias ? row.load(bias + column, column) : hn::Zero(Tag());
  }
  HWY_INLINE void end(size_t r, size_t column, Vec sum) const {
    if (residual) sum = hn::Add(sum, row.load(residual + r * step + column, column));
    if (last && relu) sum = hn::Max(sum, hn::Zero(Tag()));
    row.store(sum, y + r * step + column, column);
  }
  HWY_INLINE void skip(size_t rows) {
    y += rows * step;
    if (residual) residual += rows * step;
  }
};

struct Slice {
  size_t begin, depth;
  bool first, last;
};

template <size_t kWidth, class Row>
HWY_NOINLINE void multiply_rows(const Problem& p, const float* a, size_t a_step, const float* residual,
                                size_t first_row, size_t rows, const Slice& slice, size_t column, Row row) {
  const size_t at = p.offset(first_row) + column;
  const float* panel = p.packed + column / matmul::kPanel * p.depth() * matmul::kPanel +
                       slice.begin * matmul::kPanel + column % matmul::kPanel;
  const Finish<Row> finish{p.bias ? p.bias + column : nullptr,
                           slice.last && residual ? residual + column : nullptr,
                           p.y + at,
                           p.step(),
                           slice.first,
                           slice.last,
                           p.relu,
                           row};
  mm::multiply_column<kWidth>(a, a_step, rows, panel, slice.depth, finish);
}

// All columns of some rows. `residual`: of these rows, or null.
void multiply_columns(const Problem& p, const float* a, size_t a_step, const float* residual, size_t row,
                      size_t rows, const Slice& slice) {
  const size_t filters = p.filters;
  const bool past_caches = mm::kLanes == kLineFloats && slice.first && slice.last && p.past_caches();
  for (size_t column = 0; column < filters; column += mm::kWide) {
    const size_t left = filters - column;
    if (past_caches && left >= mm::kWide)
      multiply_rows<mm::kVectors>(p, a, a_step, residual, row, rows, slice, column, RowPastCaches());
    else if (left >= mm::kWide)
      multiply_rows<mm::kVectors>(p, a, a_step, residual, row, rows, slice, column, WholeRow());
    else if (left > mm::kLanes)
      multiply_rows<mm::kVectors>(p, a, a_step, residual, row, rows, slice, column, RowEnd{left});
    else
      multiply_rows<1>(p, a, a_step, residual, row, rows, slice, column, RowEnd{left});
  }
}

void Run(const Problem& p, int first, int last, float* scratch) {
  const size_t height = rows_of_block(p), depth = p.depth(), part = im2row::slice_of_depth(depth);
  const bool plain = im2row::is_plain(p);
  // Short rows are read where they are: they cannot compete for lines of the cache.
  constexpr size_t kShort = 256;
  const bool in_place = plain && depth <= kShort;
  const size_t step = scratch_step(p), a_step = in_place ? depth : step;
  // Few weights stay near the processor while rows are written one after the other; many are read once a
  // block.
  constexpr size_t kFew = 320 * 1024 / sizeof(float);
  const bool few = part * count_panels(p.filters) * matmul::kPanel <= kFew;
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * height, rows = std::min(height, p.rows() - row);
    if (!plain) im2row::gather(p, row, rows, Copy(), scratch, step);
    const float* residual = im2row::expand_residual(p, row, rows, scratch + height * step);
    for (size_t k = 0; k < depth; k += part) {
      const Slice slice{k, std::min(part, depth - k), k == 0, k + part >= depth};
      if (plain && !in_place) im2row::copy_rows(p, row, rows, k, slice.depth, Copy(), scratch, step);
      const float* a = in_place ? p.x + row * depth : plain ? scratch : scratch + k;
      for (size_t r = 0, count = 0; r < rows; r += count) {
        count = p.on_line(row + r, few ? mm::next_height(rows - r) : rows - r);
        multiply_columns(p, a + r * a_step, a_step, residual ? residual + r * p.filters : nullptr, row + r,
                         count, slice);
        if (slice.last) p.activate(row + r, count);
      }
    }
  }
  hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::matmul_conv
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::matmul_conv {

HWY_EXPORT(Run);

size_t packed_size(size_t depth, size_t filters) { return depth * count_panels(filters) * matmul::kPanel; }

void pack(const float* filter, size_t filters, size_t channels, size_t window, float* packed) {
  const size_t depth = channels * window;
  std::fill_n(packed, packed_size(depth, filters), 0.0F);
  for (size_t m = 0; m < filters; m++) {
    float* to = packed + m / matmul::kPanel * depth * matmul::kPanel + m % matmul::kPanel;
    for (size_t i = 0; i < window; i++)
      for (size_t c = 0; c < channels; c++)
        to[(i * channels + c) * matmul::kPanel] = filter[(m * channels + c) * window + i];
  }
}

int count_blocks(const Problem& problem) {
  const size_t rows = rows_of_block(problem);
  return static_cast<int>((problem.rows() + rows - 1) / rows);
}

size_t scratch_size(const Problem& problem) {
  const size_t rows = rows_of_block(problem);
  return rows * scratch_step(problem) + im2row::residual_size(problem, rows);
}

void run(const Problem& problem, int first, int last, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Run)(problem, first, last, scratch);
}

}  // namespace caffe2rt::matmul_conv
#endif
