// The rows of a convolution's matrix where pixels have few channels: what the window shows of a line is then
// a few numbers beside each other, which the next pixel's row shares. The input's lines are copied once, with
// zeros around them, and rows are read from there, a part for each of the window's lines.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/matmul_conv.h"

namespace caffe2rt::window_lines {

using matmul_conv::Problem;

// Whether a convolution's rows are read so.
inline bool fits(const Problem& p) {
  return p.channels <= matmul_conv::kFewChannels && p.dilation_w == 1 && !p.y_step &&
         (p.kernel_h > 1 || p.kernel_w > 1);
}

// How blocks lie in the output, and what a block copies.
struct Layout {
  size_t step;   // floats from one copied line to the next
  int lines;     // of a block's output, but for the last of an image
  int of_image;  // blocks

  explicit Layout(const Problem& p)
      : step((static_cast<size_t>(p.out_width - 1) * p.stride_w + p.kernel_w) * p.channels) {
    // A block's lines should stay near the processor, and no thread should wait for another's last block.
    constexpr size_t kScratch = size_t{256} << 10;
    const size_t of_line = step * p.stride_h * sizeof(float);
    constexpr int kBlocksOfThread = 4;
    const int shares = std::max(1, p.threads) * kBlocksOfThread;
    lines = std::clamp(static_cast<int>(kScratch / of_line), 1, (p.out_height + shares - 1) / shares);
    of_image = (p.out_height + lines - 1) / lines;
  }
  // Lines of the input for that many of the output.
  static int copied(const Problem& p, int lines) {
    return (lines - 1) * p.stride_h + (p.kernel_h - 1) * p.dilation_h + 1;
  }
  size_t size(const Problem& p) const { return copied(p, lines) * step; }
};

// Copies what `lines` lines of the output from `first` on see: `read(image, line, pixels, to)` writes the
// first pixels of a line of the input.
template <class Read>
void copy_lines(const Problem& p, const Layout& layout, size_t image, int first, int lines, const Read& read,
                float* to) {
  const size_t channels = p.channels, across = layout.step / channels,
               before = std::min<size_t>(p.pad_left, across),
               inside = std::min<size_t>(p.width, across - before);
  const int top = first * p.stride_h - p.pad_top;
  for (int i = 0; i < Layout::copied(p, lines); i++, to += layout.step) {
    const int line = top + i;
    if (line < 0 || line >= p.height) {
      std::fill_n(to, layout.step, 0.0F);
      continue;
    }
    std::fill_n(to, before * channels, 0.0F);
    read(image, static_cast<size_t>(line), inside, to + before * channels);
    std::fill(to + (before + inside) * channels, to + layout.step, 0.0F);
  }
}

}  // namespace caffe2rt::window_lines
