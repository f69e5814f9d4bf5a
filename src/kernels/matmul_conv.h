// Convolution as a product of matrices: a row for every pixel of the output, made of what the window shows
// there, times the filters. Plain pointers, no tensors; every vector width that the processor has, chosen
// when it runs. A fully connected layer is one of images of a single pixel.
#pragma once

#include <cstddef>

#include "kernels/depthwise.h"
#include "kernels/encoding.h"
#include "kernels/hard_swish.h"
#include "kernels/past_caches.h"

namespace caffe2rt::matmul_conv {

// Of pixels of an image, or of little more.
constexpr int kFewChannels = 4;

// What one convolution is made of. All arrays are float32; x, residual and y may be something else in
// dot_conv.h, and y where it is pooled.
struct Problem {
  int images = 0, height = 1, width = 1;  // of the input
  int channels = 0, filters = 0;
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0;
  int out_height = 1, out_width = 1;
  int threads = 1;  // that will share the blocks
  Source x;         // (images,height,width,channels)
  // Of a 1x1 convolution without stride: x is not there, but what this gives, computed as rows are read; or
  // null.
  const depthwise::Problem* depthwise = nullptr;
  // Where reads_pixels():
  bool planar = false;            // x is (images,channels,height,width)
  const float* mean = nullptr;    // (channels), taken off x, whose surroundings stay zero, or null
  const float* packed = nullptr;  // pack()
  const float* bias = nullptr;    // (filters), or null
  Source residual;                // like y, added before the activation, or none; y itself where
                                  // writes_once()
  int residual_scale = 1;  // 2: the residual is half as high and wide as y, each of its pixels added to
                           // four of y
  bool relu = false;       // max(y, 0), and 0 for what is not a number
  HardSwish hard_swish;    // of y, where there is one: then y is float32
  // Where reads_pixels(), with a relu, without a residual and a hard swish: y is (images,pool_height(),
  // pool_width(),filters), the largest of the results in windows of 3x3, two apart, padded by one.
  bool pooled = false;
  Target y;                       // (images,out_height,out_width,filters)
  size_t y_step = 0, y_line = 0;  // numbers from one pixel of y to the next, and from one line to the next;
                                  // 0: as above. Otherwise without a residual.

  size_t depth() const { return static_cast<size_t>(kernel_h) * kernel_w * channels; }
  size_t step() const { return y_step ? y_step : static_cast<size_t>(filters); }
  // Of a row of the matrix in y.
  size_t offset(size_t row) const {
    return y_step ? row / out_width * y_line + row % out_width * y_step : row * filters;
  }
  // The residual of a row.
  Source residual_of(size_t row) const {
    if (residual_scale == 2) {
      const size_t line = row / out_width, image = line / out_height;
      row = (image * (out_height / 2) + line % out_height / 2) * (out_width / 2) + row % out_width / 2;
    }
    return residual.from(row * filters);
  }
  // How many of `count` rows from `row` on lie one step apart.
  size_t on_line(size_t row, size_t count) const {
    const size_t left = out_width - row % out_width;
    return y_step && left < count ? left : count;
  }
  bool past_caches() const {
    return y.encoding.format == Format::kFloat32 && y_line % kLineFloats == 0 && !hard_swish &&
           caffe2rt::past_caches(y.floats(), rows() * step(), step());
  }
  // What is left to do with `count` rows from `row` on, one step apart, soon after they were written.
  void activate(size_t row, size_t count) const {
    if (!hard_swish) return;
    for (size_t r = 0; r < count; r++)
      caffe2rt::hard_swish(hard_swish, filters, y.floats() + offset(row) + r * step());
  }
  int pool_height() const { return (out_height + 1) / 2; }
  int pool_width() const { return (out_width + 1) / 2; }
  size_t rows() const { return static_cast<size_t>(images) * out_height * out_width; }
};

// Elements of the packed weights.
size_t packed_size(size_t depth, size_t filters);

// (filters,channels,pixels of the window), contiguous -> packed weights, for the vectors that run() will use.
void pack(const float* filter, size_t filters, size_t channels, size_t window, float* packed);

// Whether this is a convolution of pixels of few channels by a window of several of them.
bool reads_pixels(const Problem& problem);

// Whether each result is written once, after its residual was read. dot_conv.h does so always.
bool writes_once(const Problem& problem);

// Blocks of rows that can be computed apart from each other, and the elements of scratch memory that a thread
// needs, on a boundary of 64 bytes.
int count_blocks(const Problem& problem);
size_t scratch_size(const Problem& problem);

// Computes blocks [first, last). Different blocks may run in different threads, each with scratch of its own.
void run(const Problem& problem, int first, int last, float* scratch);

}  // namespace caffe2rt::matmul_conv
