// How a convolution whose results are pooled at once is cut into blocks, and how those lie in scratch memory:
// the same for every vector width.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/window_lines.h"

namespace caffe2rt::pooled_lines {

struct Layout {
  int lines, of_image;         // of y in a block, but for the last of an image; blocks
  size_t input, result, sums;  // floats: of the input's lines, of a line of results, of unfinished windows

  explicit Layout(const matmul_conv::Problem& p) {
    // Every block computes a line that the one before has computed too.
    constexpr int kBlocksOfThread = 4, kLeast = 8;
    const int shares = std::max(1, p.threads) * kBlocksOfThread;
    lines = std::max((p.pool_height() + shares - 1) / shares, kLeast);
    of_image = (p.pool_height() + lines - 1) / lines;
    input = whole(window_lines::Layout(p).size(p));
    result = whole(static_cast<size_t>(p.out_width) * p.filters);
    sums = 2 * static_cast<size_t>(p.pool_width()) * p.filters;
  }
  size_t size() const { return input + result + sums; }

 private:
  static size_t whole(size_t floats) { return (floats + kLineFloats - 1) / kLineFloats * kLineFloats; }
};

}  // namespace caffe2rt::pooled_lines
