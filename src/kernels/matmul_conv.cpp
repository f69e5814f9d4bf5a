#include "kernels/matmul_conv.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/matmul_conv.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/im2row.h"
#include "kernels/matmul-inl.h"
#include "kernels/pooled_lines-inl.h"
#include "kernels/pooled_lines.h"
#include "kernels/window_lines.h"

// What is the same for every vector width: once a file, however often it is included.
#ifndef CAFFE2RT_MATMUL_CONV_LAYOUT
#define CAFFE2RT_MATMUL_CONV_LAYOUT
namespace caffe2rt::matmul_conv {

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
HWY_NOINLINE void multiply_rows(const Problem& p, const mm::Rows& rows, const float* residual,
                                size_t first_row, size_t count, const Slice& slice, size_t column, Row row) {
  const float* panel = p.packed + column * p.depth() + slice.begin * mm::kWide;
  const Finish<Row> finish{p.bias ? p.bias + column : nullptr,
                           slice.last && residual ? residual + column : nullptr,
                           p.y.floats() + p.offset(first_row) + column,
                           p.step(),
                           slice.first,
                           slice.last,
                           p.relu,
                           row};
  mm::multiply_column<kWidth>(rows, count, panel, finish);
}

// All columns of `count` rows, which lie one step apart in the output. `residual`: of these rows, or null.
void multiply_columns(const Problem& p, mm::Rows rows, const float* residual, size_t row, size_t count,
                      const Slice& slice) {
  const size_t filters = p.filters;
  const bool past_caches = mm::kLanes == kLineFloats && slice.first && slice.last && p.past_caches();
  for (size_t column = 0; column < filters; column += mm::kWide) {
    const size_t left = filters - column;
    if (past_caches && left >= mm::kWide)
      multiply_rows<mm::kVectors>(p, rows, residual, row, count, slice, column, RowPastCaches());
    else if (left >= mm::kWide)
      multiply_rows<mm::kVectors>(p, rows, residual, row, count, slice, column, WholeRow());
    else if (left > mm::kLanes)
      multiply_rows<mm::kVectors>(p, rows, residual, row, count, slice, column, RowEnd{left});
    else
      multiply_rows<1>(p, rows, residual, row, count, slice, column, RowEnd{left});
    rows.ahead = nullptr;  // fetched
  }
}

// All columns of `count` rows, which lie in the input itself if `in_place`. Few weights stay near the
// processor while rows are written one after the other; many are read once.
void multiply_block(const Problem& p, mm::Rows rows, const float* residual, size_t row, size_t count,
                    const Slice& slice, bool in_place) {
  constexpr size_t kFew = 320 * 1024 / sizeof(float);
  const bool few = slice.depth * matmul::count_columns(p.filters) <= kFew;
  for (size_t done = 0; count > 0; count -= done, row += done) {
    done = p.on_line(row, few ? mm::next_height(count) : count);
    if (in_place && few) rows.ahead = rows.first + done * rows.step;
    multiply_columns(p, rows, residual, row, done, slice);
    if (slice.last) p.activate(row, done);
    rows.skip(done);
    if (residual) residual += done * p.filters;
  }
}

// Blocks of rows as they lie in the input, or of windows that are gathered.
void run_by_rows(const Problem& p, int first, int last, float* scratch) {
  const size_t height = rows_of_block(p), depth = p.depth(), part = im2row::slice_of_depth(depth);
  const bool plain = im2row::is_plain(p);
  // Short rows are read where they are: they cannot compete for lines of the cache.
  constexpr size_t kShort = 256;
  const bool in_place = plain && depth <= kShort && !p.depthwise;
  const size_t step = scratch_step(p);
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * height, rows = std::min(height, p.rows() - row);
    if (!plain) im2row::gather<float>(p, row, rows, Copy(), scratch, step);
    const float* residual = im2row::expand_residual(p, row, rows, scratch + height * step).floats();
    for (size_t k = 0; k < depth; k += part) {
      const Slice slice{k, std::min(part, depth - k), k == 0, k + part >= depth};
      if (p.depthwise)
        depthwise::run(*p.depthwise, {row, rows, k, slice.depth}, scratch, step);
      else if (plain && !in_place)
        im2row::copy_rows<float>(p, row, rows, k, slice.depth, Copy(), scratch, step);
      const float* a = in_place ? p.x.floats() + row * depth : plain ? scratch : scratch + k;
      multiply_block(p, {a, in_place ? depth : step, slice.depth}, residual, row, rows, slice, in_place);
    }
  }
}

// Reads lines of pixels of few channels, the mean taken off.
class LineReader {
 public:
  explicit LineReader(const Problem& p) : p_(p), channels_(p.channels) {
    for (size_t i = 0; i < channels_ * mm::kLanes; i++) mean_[i] = p.mean ? p.mean[i % channels_] : 0;
  }

  void operator()(size_t image, size_t line, size_t pixels, float* to) const {
    const size_t height = p_.height, width = p_.width;
    if (!p_.planar)
      read(p_.x.floats() + (image * height + line) * width * channels_, pixels * channels_, to);
    else if (channels_ == 3)
      read_three(p_.x.floats() + (image * 3 * height + line) * width, height * width, pixels, to);
    else
      for (size_t c = 0; c < channels_; c++)
        read_plane(p_.x.floats() + ((image * channels_ + c) * height + line) * width, c, 0, pixels, to);
  }

 private:
  void read(const float* from, size_t count, float* to) const {
    size_t i = 0;
    for (const size_t period = channels_ * mm::kLanes; i + period <= count; i += period)
      for (size_t v = 0; v < period; v += mm::kLanes)
        hn::StoreU(hn::Sub(hn::LoadU(Tag(), from + i + v), hn::Load(Tag(), mean_ + v)), Tag(), to + i + v);
    for (; i < count; i++) to[i] = from[i] - mean_[i % channels_];
  }
  void read_three(const float* from, size_t plane, size_t pixels, float* to) const {
    const auto vector = [&](size_t i, size_t c) {
      return hn::Sub(hn::LoadU(Tag(), from + c * plane + i), hn::Set(Tag(), mean_[c]));
    };
    size_t i = 0;
    for (; i + mm::kLanes <= pixels; i += mm::kLanes)
      hn::StoreInterleaved3(vector(i, 0), vector(i, 1), vector(i, 2), Tag(), to + i * 3);
    for (size_t c = 0; c < 3; c++) read_plane(from + c * plane, c, i, pixels, to);
  }
  // Pixels [i, pixels) of channel c.
  void read_plane(const float* from, size_t c, size_t i, size_t pixels, float* to) const {
    for (; i < pixels; i++) to[i * channels_ + c] = from[i] - mean_[c];
  }

  const Problem& p_;
  const size_t channels_;
  HWY_ALIGN float mean_[kFewChannels * mm::kLanes];  // of as many vectors as there are channels
};

// The rows of an output line, whose windows begin on the copied line `lines`.
mm::Rows rows_of_line(const Problem& p, const window_lines::Layout& layout, const float* lines) {
  return {.first = lines,
          .step = static_cast<size_t>(p.stride_w) * p.channels,
          .depth = static_cast<size_t>(p.kernel_w) * p.channels,
          .parts = static_cast<size_t>(p.kernel_h),
          .part_step = p.dilation_h * layout.step};
}

// Blocks of lines, whose pixels have few channels.
void run_by_lines(const Problem& p, int first, int last, float* scratch) {
  const window_lines::Layout layout(p);
  const LineReader read(p);
  const Slice all{0, p.depth(), true, true};
  for (int block = first; block < last; block++) {
    const size_t image = block / layout.of_image;
    const int line = block % layout.of_image * layout.lines,
              lines = std::min(layout.lines, p.out_height - line);
    window_lines::copy_lines(p, layout, image, line, lines, read, scratch);
    for (int i = 0; i < lines; i++) {
      const size_t row = (image * p.out_height + line + i) * p.out_width, width = p.out_width;
      const mm::Rows rows = rows_of_line(p, layout, scratch + i * p.stride_h * layout.step);
      const float* residual = im2row::expand_residual(p, row, width, scratch + layout.size(p)).floats();
      multiply_block(p, rows, residual, row, width, all, /*in_place=*/false);
    }
  }
}

// The same where the results are pooled: none of them is written but to a line that stays near the processor.
void run_pooled(const Problem& p, int first, int last, float* scratch) {
  const window_lines::Layout layout(p);
  const pooled_lines::Layout blocks(p);
  const LineReader read(p);
  const Slice all{0, p.depth(), true, true};
  float *const results = scratch + blocks.input, *const sums = results + blocks.result;
  Problem one = p;  // a line of it
  one.images = one.out_height = 1;
  one.y = results;
  for (int block = first; block < last; block++) {
    const size_t image = block / blocks.of_image;
    const int begin = block % blocks.of_image * blocks.lines,
              end = std::min(begin + blocks.lines, p.pool_height()),
              last_line = std::min(2 * end, p.out_height);
    const pooled_lines::HWY_NAMESPACE::Pool pool(p, image, begin, end, sums);
    for (int line = std::max(2 * begin - 1, 0), lines = 0; line < last_line; line += lines) {
      lines = std::min(layout.lines, last_line - line);
      window_lines::copy_lines(p, layout, image, line, lines, read, scratch);
      for (int i = 0; i < lines; i++) {
        const mm::Rows rows = rows_of_line(p, layout, scratch + i * p.stride_h * layout.step);
        multiply_block(one, rows, /*residual=*/nullptr, 0, p.out_width, all, /*in_place=*/false);
        pool.add(line + i, results);
      }
    }
  }
}

void Run(const Problem& p, int first, int last, float* scratch) {
  if (p.pooled)
    run_pooled(p, first, last, scratch);
  else if (window_lines::fits(p))
    run_by_lines(p, first, last, scratch);
  else
    run_by_rows(p, first, last, scratch);
  hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::matmul_conv
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::matmul_conv {

HWY_EXPORT(Run);

size_t packed_size(size_t depth, size_t filters) { return depth * matmul::count_columns(filters); }

void pack(const float* filter, size_t filters, size_t channels, size_t window, float* packed) {
  const size_t depth = channels * window, panel = matmul::panel_width();
  std::fill_n(packed, packed_size(depth, filters), 0.0F);
  for (size_t m = 0; m < filters; m++) {
    float* to = packed + m / panel * panel * depth + m % panel;
    for (size_t i = 0; i < window; i++)
      for (size_t c = 0; c < channels; c++)
        to[(i * channels + c) * panel] = filter[(m * channels + c) * window + i];
  }
}

bool reads_pixels(const Problem& problem) { return window_lines::fits(problem); }

bool writes_once(const Problem& problem) {
  return window_lines::fits(problem) || im2row::slice_of_depth(problem.depth()) == problem.depth();
}

int count_blocks(const Problem& problem) {
  if (problem.pooled) return problem.images * pooled_lines::Layout(problem).of_image;
  if (window_lines::fits(problem)) return problem.images * window_lines::Layout(problem).of_image;
  const size_t rows = rows_of_block(problem);
  return static_cast<int>((problem.rows() + rows - 1) / rows);
}

size_t scratch_size(const Problem& problem) {
  if (problem.pooled) return pooled_lines::Layout(problem).size();
  if (window_lines::fits(problem))
    return window_lines::Layout(problem).size(problem) + im2row::residual_size(problem, problem.out_width);
  const size_t rows = rows_of_block(problem);
  return rows * scratch_step(problem) + im2row::residual_size(problem, rows);
}

void run(const Problem& problem, int first, int last, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Run)(problem, first, last, scratch);
}

}  // namespace caffe2rt::matmul_conv
#endif
