#include "kernels/depthwise.h"

#include <algorithm>
#include <cmath>

#include "kernels/arrays.h"
#include "kernels/targets.h"

namespace caffe2rt {
namespace {

// A convolution and memory for all that it reads and writes.
struct Convolution {
  depthwise::Problem problem;
  Aligned<float> x, weights, bias;

  explicit Convolution(depthwise::Problem p) : problem(p) {
    x = noise(static_cast<size_t>(p.images) * p.height * p.width * p.channels, 1);
    weights = noise(static_cast<size_t>(p.kernel_h) * p.kernel_w * p.channels, 2);
    bias = noise(p.channels, 3);
    problem.x = x.data();
    problem.weights = weights.data();
    problem.bias = bias.data();
  }

  double expected(size_t row, int c) const {
    const auto& p = problem;
    const int column = static_cast<int>(row % p.out_width),
              line = static_cast<int>(row / p.out_width % p.out_height);
    const size_t image = row / p.out_width / p.out_height;
    double sum = p.bias ? bias[c] : 0;
    for (int i = 0; i < p.kernel_h; i++)
      for (int j = 0; j < p.kernel_w; j++) {
        const int h = line * p.stride_h - p.pad_top + i, w = column * p.stride_w - p.pad_left + j;
        if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
        sum += static_cast<double>(x[((image * p.height + h) * p.width + w) * p.channels + c]) *
               weights[(static_cast<size_t>(i) * p.kernel_w + j) * p.channels + c];
      }
    if (p.hard_swish) sum *= std::clamp(p.hard_swish.alpha * sum + p.hard_swish.beta, 0.0, 1.0);
    return p.relu ? std::max(sum, 0.0) : sum;
  }

  void check() const { check({0, problem.rows(), 0, static_cast<size_t>(problem.channels)}); }

  // What is around the part stays as it is.
  void check(const depthwise::Part& part) const {
    const size_t step = part.channels + 5;
    Aligned<float> y(part.rows * step, NAN);
    depthwise::run(problem, part, y.data(), step);
    for (size_t r = 0; r < part.rows; r++)
      for (size_t c = 0; c < step; c++)
        if (c >= part.channels)
          ASSERT_TRUE(std::isnan(y[r * step + c])) << "row " << r;
        else
          ASSERT_NEAR(y[r * step + c], expected(part.first_row + r, static_cast<int>(part.first_channel + c)),
                      3e-5)
              << "row " << r << ", channel " << c;
  }
};

using Depthwise = WithTarget;

TEST_P(Depthwise, WindowsAndStridesOfMobileNetworks) {
  for (const int kernel : {3, 5})
    for (const int stride : {1, 2})
      Convolution({.images = 2,
                   .height = 11,
                   .width = 17,
                   .channels = 48,
                   .kernel_h = kernel,
                   .kernel_w = kernel,
                   .stride_h = stride,
                   .stride_w = stride,
                   .pad_top = kernel / 2,
                   .pad_left = kernel / 2,
                   .out_height = (11 - 1) / stride + 1,
                   .out_width = (17 - 1) / stride + 1})
          .check();
}

TEST_P(Depthwise, AnyOtherWindowStrideAndPadding) {
  Convolution({.images = 1,
               .height = 9,
               .width = 14,
               .channels = 32,
               .kernel_h = 2,
               .kernel_w = 7,
               .stride_h = 1,
               .stride_w = 3,
               .pad_top = 0,
               .pad_left = 5,
               .out_height = 8,
               .out_width = 5})
      .check();
  Convolution({.images = 1,
               .height = 9,
               .width = 14,
               .channels = 16,
               .kernel_h = 3,
               .kernel_w = 3,
               .stride_h = 2,
               .stride_w = 1,
               .out_height = 4,
               .out_width = 12})
      .check();
}

// Pooled regions of 3x3 pixels, and maps narrower than the window.
TEST_P(Depthwise, MapsWithoutAPixelInside) {
  Convolution({.images = 5,
               .height = 3,
               .width = 3,
               .channels = 16,
               .kernel_h = 3,
               .kernel_w = 3,
               .pad_top = 1,
               .pad_left = 1,
               .out_height = 3,
               .out_width = 3})
      .check();
  Convolution({.images = 2,
               .height = 2,
               .width = 1,
               .channels = 16,
               .kernel_h = 5,
               .kernel_w = 5,
               .stride_h = 2,
               .stride_w = 2,
               .pad_top = 2,
               .pad_left = 2,
               .out_height = 1,
               .out_width = 1})
      .check();
}

TEST_P(Depthwise, ChannelsThatAreNoWholeVectors) {
  for (const int channels : {17, 24, 31, 33, 40, 72, 120})
    Convolution({.images = 1,
                 .height = 6,
                 .width = 9,
                 .channels = channels,
                 .kernel_h = 3,
                 .kernel_w = 3,
                 .pad_top = 1,
                 .pad_left = 1,
                 .out_height = 6,
                 .out_width = 9})
        .check();
}

TEST_P(Depthwise, APartOfRowsAndChannels) {
  const Convolution convolution({.images = 2,
                                 .height = 8,
                                 .width = 12,
                                 .channels = 100,
                                 .kernel_h = 5,
                                 .kernel_w = 5,
                                 .pad_top = 2,
                                 .pad_left = 2,
                                 .out_height = 8,
                                 .out_width = 12});
  convolution.check(
      {.first_row = 90, .rows = 17, .first_channel = 20, .channels = 53});  // from one image to the next
  convolution.check({.first_row = 31, .rows = 3, .first_channel = 84, .channels = 16});
}

TEST_P(Depthwise, EndsWithAnActivation) {
  Convolution convolution({.images = 1,
                           .height = 5,
                           .width = 8,
                           .channels = 20,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .pad_top = 1,
                           .pad_left = 1,
                           .out_height = 5,
                           .out_width = 8,
                           .relu = true});
  convolution.check();
  convolution.problem.relu = false;
  convolution.problem.hard_swish = {1.0F / 6, 0.5F};
  convolution.check();
  convolution.problem.bias = nullptr;
  convolution.check();
}

EVERY_TARGET(Depthwise);

}  // namespace
}  // namespace caffe2rt
