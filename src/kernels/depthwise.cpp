#include "kernels/depthwise.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/depthwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::depthwise {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, kLeastChannels>;
using Vec = hn::Vec<Tag>;

constexpr size_t kLanes = hn::MaxLanes(Tag());
constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3;
// Vectors of channels that are summed at a time, and pixels of a line.
constexpr size_t kVectors = kManyRegisters ? 4 : 2, kPixels = 4;
// As many of the vectors as keep several pixels' sums and a line's weights in registers.
constexpr size_t vectors_at_once(int kernel) { return !kManyRegisters ? 1 : kernel > 3 ? 2 : 4; }

// Some channels of a part of one line of the output.
struct Line {
  const Problem& p;
  const float* image;    // the first of these channels
  const float* weights;  // the same
  const float* bias;     // the same, or null
  int top;               // line of the input that the window's first one lies on
  int first_i, last_i;   // lines of the window that lie in the image
  float* to;             // of column 0, which need not be written
  size_t step;

  const float* pixel(int y, int x) const {
    return image + (static_cast<std::ptrdiff_t>(y) * p.width + x) * p.channels;
  }
  const float* weight(int i, int j) const {
    return weights + (static_cast<size_t>(i) * p.kernel_w + j) * p.channels;
  }
  HWY_INLINE Vec begin(size_t v) const {
    return bias ? hn::LoadU(Tag(), bias + v * kLanes) : hn::Zero(Tag());
  }
  HWY_INLINE void end(int column, size_t v, Vec sum) const {
    if (p.relu) sum = hn::Max(sum, hn::Zero(Tag()));
    hn::StoreU(sum, Tag(), to + column * step + v * kLanes);
  }
};

// A pixel whose window may reach beyond the image.
template <size_t kWidth>
HWY_INLINE void sum_pixel(const Line& line, int column) {
  const int left = column * line.p.stride_w - line.p.pad_left, first = std::max(0, -left),
            last = std::min(line.p.kernel_w, line.p.width - left);
  Vec sum[kWidth];
#pragma GCC unroll 4
  for (size_t v = 0; v < kWidth; v++) sum[v] = line.begin(v);
  for (int i = line.first_i; i < line.last_i; i++)
    for (int j = first; j < last; j++) {
      const float *x = line.pixel(line.top + i, left + j), *w = line.weight(i, j);
#pragma GCC unroll 4
      for (size_t v = 0; v < kWidth; v++)
        sum[v] = hn::MulAdd(hn::LoadU(Tag(), x + v * kLanes), hn::LoadU(Tag(), w + v * kLanes), sum[v]);
    }
#pragma GCC unroll 4
  for (size_t v = 0; v < kWidth; v++) line.end(column, v, sum[v]);
}

// kWidth vectors, from the one with number `first` on, of kPixels pixels from `column` on, whose windows lie
// between the image's sides. Windows overlap: each pixel of a line is read once.
template <int kKernel, int kStride, size_t kWidth>
HWY_INLINE void sum_pixels(const Line& line, int column, size_t first) {
  const int left = column * kStride - line.p.pad_left;
  Vec sum[kPixels][kWidth];
#pragma GCC unroll 4
  for (size_t p = 0; p < kPixels; p++)
#pragma GCC unroll 4
    for (size_t v = 0; v < kWidth; v++) sum[p][v] = line.begin(first + v);
  for (int i = line.first_i; i < line.last_i; i++) {
    const float* x = line.pixel(line.top + i, left) + first * kLanes;
    Vec w[kKernel][kWidth];
#pragma GCC unroll 8
    for (int j = 0; j < kKernel; j++)
#pragma GCC unroll 4
      for (size_t v = 0; v < kWidth; v++)
        w[j][v] = hn::LoadU(Tag(), line.weight(i, j) + (first + v) * kLanes);
    constexpr int kAcross = kStride * static_cast<int>(kPixels - 1) + kKernel;
#pragma GCC unroll 16
    for (int q = 0; q < kAcross; q++, x += line.p.channels)
#pragma GCC unroll 4
      for (size_t v = 0; v < kWidth; v++) {
        const Vec value = hn::LoadU(Tag(), x + v * kLanes);
#pragma GCC unroll 4
        for (int p = 0; p < static_cast<int>(kPixels); p++)
          if (const int j = q - p * kStride; j >= 0 && j < kKernel)
            sum[p][v] = hn::MulAdd(value, w[j][v], sum[p][v]);
      }
  }
#pragma GCC unroll 4
  for (int p = 0; p < static_cast<int>(kPixels); p++)
#pragma GCC unroll 4
    for (size_t v = 0; v < kWidth; v++) line.end(column + p, first + v, sum[p][v]);
}

// Columns [first, last).
template <int kKernel, int kStride, size_t kWidth>
HWY_NOINLINE void sum_line(const Line& line, int first, int last) {
  const Problem& p = line.p;
  const int inside = std::clamp((p.pad_left + p.stride_w - 1) / p.stride_w, first, last),
            reach = p.width + p.pad_left - p.kernel_w,
            beyond = reach < 0 ? 0 : std::min(reach / p.stride_w + 1, last);
  int column = first;
  if constexpr (kKernel > 0) {
    constexpr size_t kAtOnce = std::min(kWidth, vectors_at_once(kKernel));
    for (; column < inside; column++) sum_pixel<kWidth>(line, column);
    for (; column + static_cast<int>(kPixels) <= beyond; column += kPixels)
      for (size_t v = 0; v < kWidth; v += kAtOnce) sum_pixels<kKernel, kStride, kAtOnce>(line, column, v);
  }
  for (; column < last; column++) sum_pixel<kWidth>(line, column);
}

// kWidth vectors of channels, `c` the number of the first in the part.
template <int kKernel, int kStride, size_t kWidth>
void sum_part(const Problem& p, const Part& part, size_t c, float* to, size_t step) {
  const size_t channel = part.first_channel + c, end = part.first_row + part.rows;
  for (size_t row = part.first_row; row < end;) {
    const size_t lines = row / p.out_width, image = lines / p.out_height;
    const int y = static_cast<int>(lines % p.out_height), first = static_cast<int>(row % p.out_width),
              last = static_cast<int>(std::min<size_t>(p.out_width, first + end - row));
    const int top = y * p.stride_h - p.pad_top;
    const Line line{p,
                    p.x + image * p.height * p.width * p.channels + channel,
                    p.weights + channel,
                    p.bias ? p.bias + channel : nullptr,
                    top,
                    std::max(0, -top),
                    std::min(p.kernel_h, p.height - top),
                    to + (row - part.first_row) * step + c - first * step,
                    step};
    sum_line<kKernel, kStride, kWidth>(line, first, last);
    row += last - first;
  }
}

// Channels from number `c` on by kWidth vectors, then by fewer. The last vector may overlap the one before
// it.
template <int kKernel, int kStride, size_t kWidth>
void sum_channels(const Problem& p, const Part& part, size_t c, float* to, size_t step) {
  for (; c + kWidth * kLanes <= part.channels; c += kWidth * kLanes)
    sum_part<kKernel, kStride, kWidth>(p, part, c, to, step);
  if (c == part.channels) return;
  if constexpr (kWidth > 1)
    sum_channels<kKernel, kStride, kWidth / 2>(p, part, c, to, step);
  else
    sum_part<kKernel, kStride, 1>(p, part, part.channels - kLanes, to, step);
}

template <int kKernel, int kStride>
void sum_all(const Problem& p, const Part& part, float* to, size_t step) {
  sum_channels<kKernel, kStride, kVectors>(p, part, 0, to, step);
}

void Run(const Problem& p, const Part& part, float* to, size_t step) {
  const bool same = p.stride_h == p.stride_w;
  if (same && p.kernel_w == 3 && p.stride_w == 1)
    sum_all<3, 1>(p, part, to, step);
  else if (same && p.kernel_w == 3 && p.stride_w == 2)
    sum_all<3, 2>(p, part, to, step);
  else if (same && p.kernel_w == 5 && p.stride_w == 1)
    sum_all<5, 1>(p, part, to, step);
  else if (same && p.kernel_w == 5 && p.stride_w == 2)
    sum_all<5, 2>(p, part, to, step);
  else
    sum_all<0, 0>(p, part, to, step);
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::depthwise
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::depthwise {

HWY_EXPORT(Run);

void run(const Problem& problem, const Part& part, float* to, size_t step) {
  HWY_DYNAMIC_DISPATCH(Run)(problem, part, to, step);
  if (problem.hard_swish)
    for (size_t r = 0; r < part.rows; r++) hard_swish(problem.hard_swish, part.channels, to + r * step);
}

}  // namespace caffe2rt::depthwise
#endif
