// The rows of the matrix that a convolution multiplies with its filters: what the window shows at each pixel
// of the output. For kernels that are compiled once a vector width: without vectors itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/matmul_conv.h"

namespace caffe2rt::im2row {

using matmul_conv::Problem;

// The rows of the matrix lie in the input as they are.
inline bool is_plain(const Problem& p) {
  return p.kernel_h == 1 && p.kernel_w == 1 && p.stride_h == 1 && p.stride_w == 1 && p.pad_top == 0 &&
         p.pad_left == 0 && p.out_height == p.height && p.out_width == p.width;
}

// Rows of a block, where each takes `row_bytes` of scratch memory. Rows should stay near the processor; the
// weights, which every block reads once, should be read seldom, and no thread should wait for another's last
// block.
// `step`: how many the product takes at a time. Blocks are whole numbers of them if `whole`.
inline size_t rows_of_block(const Problem& p, size_t row_bytes, size_t step = 14, bool whole = false) {
  constexpr size_t kScratch = size_t{384} << 10;
  const size_t most = 112 / step * step;
  const size_t rows = std::max<size_t>(1, p.rows()), threads = static_cast<size_t>(std::max(1, p.threads));
  const size_t fit = is_plain(p) ? most : std::clamp(kScratch / row_bytes / step * step, step, most);
  const size_t rounds = std::max<size_t>(1, (rows + fit * threads / 2) / (fit * threads));
  const size_t even = (rows + rounds * threads - 1) / (rounds * threads);
  return rounds == 1 || !whole ? even : (even + step - 1) / step * step;
}

// Which part of a depth is summed at a time: a panel's rows and a tile's should stay near the processor.
inline size_t slice_of_depth(size_t depth) {
  constexpr size_t kMost = 640;
  const size_t slices = (depth + kMost - 1) / kMost;
  return (depth + slices - 1) / slices;
}

// From one row to the next in scratch memory, in elements of 32 bits: rows at a power of two would compete
// for the same lines of the cache.
inline size_t step_of(size_t depth) { return (depth + 15) / 16 * 16 + 16; }

// Writes elements [from, from + depth) of `count` rows of the matrix of a plain problem, `step` apart.
// `From` is what x is made of; `convert` has T* operator()(const From* from, size_t count, T* to) and
// T* zeros(size_t count, T* to), which return the end of what they wrote.
template <class From, class T, class Convert>
void copy_rows(const Problem& p, size_t first, size_t count, size_t from, size_t depth,
               const Convert& convert, T* to, size_t step) {
  const From* row = p.x.as<From>() + first * p.depth() + from;
  for (size_t r = 0; r < count; r++, row += p.depth(), to += step) convert(row, depth, to);
}

// Floats of scratch memory for expand_residual().
inline size_t residual_size(const Problem& p, size_t rows) {
  return p.residual_scale == 1 ? 0 : rows * p.filters;
}

// The residual of rows [first, first + count), one after the other: where it lies, or copied to `to`.
inline Source expand_residual(const Problem& p, size_t first, size_t count, float* to) {
  if (!p.residual) return {};
  if (p.residual_scale == 1) return p.residual_of(first);
  const size_t row = p.filters * size_of(p.residual.encoding.format);
  for (size_t r = 0; r < count; r++)
    std::memcpy(reinterpret_cast<char*>(to) + r * row, p.residual_of(first + r).data, row);
  return {to, p.residual.encoding};
}

// Writes rows [first, first + count) of the matrix, `step` apart: what the window shows, outside the image
// zeros.
template <class From, class T, class Convert>
void gather(const Problem& p, size_t first, size_t count, const Convert& convert, T* rows, size_t step) {
  const size_t channels = p.channels;
  for (size_t row = first; row < first + count; row++, rows += step) {
    T* to = rows;
    const int column = static_cast<int>(row % p.out_width),
              line = static_cast<int>(row / p.out_width % p.out_height);
    const From* image = p.x.as<From>() + row / p.out_width / p.out_height * p.height * p.width * channels;
    const int left = column * p.stride_w - p.pad_left;
    for (int i = 0; i < p.kernel_h; i++) {
      const int y = line * p.stride_h - p.pad_top + i * p.dilation_h;
      const bool inside = y >= 0 && y < p.height;
      const From* from = image + static_cast<size_t>(inside ? y : 0) * p.width * channels;
      if (inside && p.dilation_w == 1 && left >= 0 && left + p.kernel_w <= p.width) {
        to = convert(from + static_cast<size_t>(left) * channels, p.kernel_w * channels, to);
        continue;
      }
      for (int j = 0; j < p.kernel_w; j++) {
        const int x = left + j * p.dilation_w;
        const bool shown = inside && x >= 0 && x < p.width;
        to = shown ? convert(from + static_cast<size_t>(x) * channels, channels, to)
                   : convert.zeros(channels, to);
      }
    }
  }
}

}  // namespace caffe2rt::im2row
