// How a convolution is cut into blocks of rows for tiles, and how those lie in scratch memory. A row is what
// the window shows at a pixel of the output. Where windows move by a pixel their rows need not be gathered:
// the pixels of a few lines lie one after the other, and a window is found by offsets.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/dot_layout.h"
#include "kernels/tile_product.h"

namespace caffe2rt::dot_conv {

struct TileLayout {
  // Rows of a block; of sliding windows those of one image, counted with the padding at the end of each line.
  struct Block {
    size_t image, first, rows;
  };

  bool slides;
  size_t groups;       // of the depth
  size_t step;         // groups from one row, or pixel, to the next
  size_t rows;         // of a block
  size_t line;         // pixels of a line with its padding
  size_t segment = 0;  // pixels from one of a window's lines to the next
  size_t blocks;       // of an image, or of all where nothing slides

  explicit TileLayout(const Problem& p) : groups(groups_of(p.kind, p.conv.depth())) {
    const matmul_conv::Problem& conv = p.conv;
    const size_t step_numbers = tile_product::kStep * group_of(p.kind);
    slides = !im2row::is_plain(conv) && conv.stride_h == 1 && conv.stride_w == 1 && conv.dilation_h == 1 &&
             conv.dilation_w == 1 && conv.channels % step_numbers == 0 && conv.y_step == 0;
    kernel_h_ = static_cast<size_t>(conv.kernel_h);
    kernel_w_ = static_cast<size_t>(conv.kernel_w);
    line = static_cast<size_t>(conv.out_width) + kernel_w_ - 1;
    if (!slides) {
      step = im2row::step_of(groups);
      rows = im2row::rows_of_block(conv, step * sizeof(Group), kRows, true);
      blocks = (conv.rows() + rows - 1) / rows;
      return;
    }
    // A block's sums share the first level cache with a slice of a panel.
    constexpr size_t kScratch = size_t{448} << 10, kMost = 4 * kRows;
    step = im2row::step_of(static_cast<size_t>(conv.channels) / group_of(p.kind));
    const size_t fit =
        std::clamp(kScratch / (kernel_h_ * step * sizeof(Group)) / kRows * kRows, kRows, kMost);
    const size_t all = line * static_cast<size_t>(conv.out_height),
                 threads = conv.images == 1 ? static_cast<size_t>(std::max(1, conv.threads)) : 1;
    blocks = ((all + fit - 1) / fit + threads - 1) / threads * threads;
    rows = round_up((all + blocks - 1) / blocks, kRows);
    blocks = (all + rows - 1) / rows;
    joined_ = line <= rows;
    segment = joined_ ? line : rows + kernel_w_ - 1;
  }

  int count_blocks(const matmul_conv::Problem& conv) const {
    return static_cast<int>(slides ? blocks * static_cast<size_t>(conv.images) : blocks);
  }

  Block block(const matmul_conv::Problem& conv, int index) const {
    const auto i = static_cast<size_t>(index);
    if (!slides) return {0, i * rows, std::min(rows, conv.rows() - i * rows)};
    const size_t first = i % blocks * rows;
    return {i / blocks, first, std::min(rows, line * static_cast<size_t>(conv.out_height) - first)};
  }

  size_t steps() const { return (groups + tile_product::kStep - 1) / tile_product::kStep; }

  // Of sliding windows: runs of pixels that are converted, and the pixels of each.
  size_t segments() const { return joined_ ? 1 : kernel_h_; }
  size_t pixels() const { return rows + kernel_w_ - 1 + (joined_ ? (kernel_h_ - 1) * line : 0); }

  // Of scratch memory, in 32 bit words: the rows, their sums, the offsets. Tiles are computed whole: rows
  // that a block does not have too.
  size_t values() const { return (slides ? segments() * pixels() : round_up(rows, kRows)) * step; }
  size_t sums() const { return round_up(rows, kRows) * tile_product::kColumns; }
  size_t scratch_size() const { return values() + sums() + round_up(steps(), 16); }

  // Where the groups of each step along the depth lie, from a row's or pixel's first on.
  void write_offsets(const Problem& p, std::int32_t* offsets) const {
    const size_t pixel = static_cast<size_t>(p.conv.channels) / group_of(p.kind);
    for (size_t s = 0; s < steps(); s++) {
      const size_t k = s * tile_product::kStep, i = slides ? k / pixel : 0;
      offsets[s] = static_cast<std::int32_t>(
          slides ? (i / kernel_w_ * segment + i % kernel_w_) * step + k % pixel : k);
    }
  }

  // Calls take(r, row, count) for rows of a block that lie one step apart in the output: from the block's row
  // r on, from the output's row `row` on.
  template <class Take>
  void for_each_run(const matmul_conv::Problem& conv, const Block& block, Take&& take) const {
    const auto width = static_cast<size_t>(conv.out_width), height = static_cast<size_t>(conv.out_height);
    for (size_t r = 0; r < block.rows;) {
      if (!slides) {
        const size_t count = conv.on_line(block.first + r, block.rows - r);
        take(r, block.first + r, count);
        r += count;
        continue;
      }
      const size_t y = (block.first + r) / line, x = (block.first + r) % line;
      if (x < width) take(r, (block.image * height + y) * width + x, std::min(width - x, block.rows - r));
      r += line - x;
    }
  }

 private:
  static constexpr size_t kRows = tile_product::kRows;
  static size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

  size_t kernel_h_, kernel_w_;
  bool joined_ = false;  // a window's lines overlap in memory: all are one run
};

}  // namespace caffe2rt::dot_conv
