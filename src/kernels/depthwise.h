// Depthwise convolution: each channel by a window of its own. Plain pointers, no tensors; every vector width
// that the processor has, chosen when it runs. Source: Howard et al., https://arxiv.org/abs/1704.04861.
#pragma once

#include <cstddef>

#include "kernels/hard_swish.h"

namespace caffe2rt::depthwise {

// The fewest channels: those of the widest vector.
constexpr int kLeastChannels = 16;

// What one convolution is made of; all arrays are float32.
struct Problem {
  int images = 0, height = 1, width = 1;  // of the input
  int channels = 0;                       // kLeastChannels at least
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0;
  int out_height = 1, out_width = 1;
  const float* x = nullptr;        // (images,height,width,channels)
  const float* weights = nullptr;  // (kernel_h,kernel_w,channels)
  const float* bias = nullptr;     // (channels), or null
  bool relu = false;               // max(y, 0), and 0 for what is not a number
  HardSwish hard_swish;            // of y, where there is one

  size_t rows() const { return static_cast<size_t>(images) * out_height * out_width; }
};

// Some pixels of the output, counted through all images, and some of their channels, kLeastChannels at least.
struct Part {
  size_t first_row, rows;
  size_t first_channel, channels;
};

// Computes a part into `to`: its channels of its first row, and `step` floats further those of the next one.
void run(const Problem& problem, const Part& part, float* to, size_t step);

}  // namespace caffe2rt::depthwise
