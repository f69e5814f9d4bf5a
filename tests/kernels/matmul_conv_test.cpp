#include "kernels/matmul_conv.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/arrays.h"
#include "kernels/targets.h"

namespace caffe2rt {
namespace {

// A convolution and memory for all that it reads and writes.
struct Convolution {
  matmul_conv::Problem problem;
  Aligned<float> x, filter, bias, residual, y, packed;

  explicit Convolution(matmul_conv::Problem p) : problem(p) {
    const size_t results = p.rows() * p.filters;
    x = noise(static_cast<size_t>(p.images) * p.height * p.width * p.channels, 1);
    filter = noise(p.depth() * p.filters, 2);
    bias = noise(p.filters, 3);
    y.assign(results + 1, NAN);
    problem.x = x.data();
    problem.bias = bias.data();
    problem.y = y.data();
  }

  double pixel(size_t image, int h, int w, int c) const {
    const auto& p = problem;
    const size_t at = p.planar ? ((image * p.channels + c) * p.height + h) * p.width + w
                               : ((image * p.height + h) * p.width + w) * p.channels + c;
    return static_cast<double>(x[at]) - (p.mean ? p.mean[c] : 0);
  }

  double expected(size_t row, int m) const {
    const auto& p = problem;
    const int column = static_cast<int>(row % p.out_width),
              line = static_cast<int>(row / p.out_width % p.out_height);
    const size_t image = row / p.out_width / p.out_height;
    double sum = p.bias ? bias[m] : 0;
    for (int i = 0; i < p.kernel_h; i++)
      for (int j = 0; j < p.kernel_w; j++) {
        const int h = line * p.stride_h - p.pad_top + i * p.dilation_h,
                  w = column * p.stride_w - p.pad_left + j * p.dilation_w;
        if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
        for (int c = 0; c < p.channels; c++)
          sum += pixel(image, h, w, c) *
                 filter[((static_cast<size_t>(m) * p.channels + c) * p.kernel_h + i) * p.kernel_w + j];
      }
    if (p.residual && p.residual_scale == 1) sum += residual[row * p.filters + m];
    if (p.residual && p.residual_scale == 2)
      sum += residual[((image * (p.out_height / 2) + line / 2) * (p.out_width / 2) + column / 2) * p.filters +
                      m];
    if (p.hard_swish) sum *= std::clamp(p.hard_swish.alpha * sum + p.hard_swish.beta, 0.0, 1.0);
    return p.relu ? std::max(sum, 0.0) : sum;
  }

  void add_residual() {
    residual = noise(problem.rows() * problem.filters, 4);
    problem.residual = residual.data();
  }

  static void run(const matmul_conv::Problem& p) {
    Aligned<float> scratch(matmul_conv::scratch_size(p));
    for (int block = matmul_conv::count_blocks(p); block-- > 0;)  // in any order
      matmul_conv::run(p, block, block + 1, scratch.data());
  }

  // The largest result in the window of number i of what is pooled.
  float largest(size_t i) const {
    const auto& p = problem;
    const int m = static_cast<int>(i) % p.filters, column = static_cast<int>(i) / p.filters % p.pool_width(),
              line = static_cast<int>(i) / p.filters / p.pool_width() % p.pool_height();
    const size_t image = i / p.filters / p.pool_width() / p.pool_height();
    float most = 0;
    for (int h = std::max(2 * line - 1, 0); h <= std::min(2 * line + 1, p.out_height - 1); h++)
      for (int w = std::max(2 * column - 1, 0); w <= std::min(2 * column + 1, p.out_width - 1); w++)
        most = std::max(most, y[((image * p.out_height + h) * p.out_width + w) * p.filters + m]);
    return most;
  }

  void check() {
    packed.resize(matmul_conv::packed_size(problem.depth(), problem.filters));
    matmul_conv::pack(filter.data(), problem.filters, problem.channels,
                      static_cast<size_t>(problem.kernel_h) * problem.kernel_w, packed.data());
    problem.packed = packed.data();
    run(problem);
    const double scale = std::sqrt(static_cast<double>(problem.depth()));  // of the sums
    for (size_t row = 0; row < problem.rows(); row++)
      for (int m = 0; m < problem.filters; m++)
        ASSERT_NEAR(y[row * problem.filters + m], expected(row, m), 1e-5 * scale)
            << "row " << row << ", filter " << m;
    EXPECT_TRUE(std::isnan(y.back())) << "written behind the output";
  }
};

using MatMulConv = WithTarget;

TEST_P(MatMulConv, APixelIsARow) {
  Convolution(
      {.images = 1, .height = 6, .width = 7, .channels = 20, .filters = 64, .out_height = 6, .out_width = 7})
      .check();
}

TEST_P(MatMulConv, TakesAnyNumberOfFilters) {
  for (const int filters : {1, 15, 16, 17, 31, 33, 47})
    Convolution({.images = 29, .channels = 5, .filters = filters}).check();
}

TEST_P(MatMulConv, SumsDepthsOfSeveralSlicesBeforeTheResidualAndTheActivation) {
  Convolution convolution({.images = 33, .channels = 1400, .filters = 40, .relu = true});
  convolution.add_residual();
  convolution.check();
}

TEST_P(MatMulConv, EndsWithAHardSwish) {
  for (const int channels : {20, 1400}) {
    Convolution convolution(
        {.images = 33, .channels = channels, .filters = 40, .hard_swish = {1.0F / 6, 0.5F}});
    convolution.add_residual();
    convolution.check();
  }
}

TEST_P(MatMulConv, AddsAResidualOfHalfTheSize) {
  for (const int filters : {64, 40, 5})
    for (const int channels : {20, 1400}) {
      Convolution convolution({.images = 2,
                               .height = 6,
                               .width = 26,
                               .channels = channels,
                               .filters = filters,
                               .out_height = 6,
                               .out_width = 26,
                               .residual_scale = 2,
                               .relu = true});
      convolution.add_residual();
      convolution.residual.resize(convolution.problem.rows() / 4 * filters);
      convolution.check();
    }
}

TEST_P(MatMulConv, GathersWhatTheWindowShows) {
  Convolution({.images = 2,
               .height = 9,
               .width = 12,
               .channels = 3,
               .filters = 8,
               .kernel_h = 7,
               .kernel_w = 7,
               .stride_h = 2,
               .stride_w = 2,
               .pad_top = 3,
               .pad_left = 3,
               .out_height = 5,
               .out_width = 6})
      .check();
  Convolution({.images = 1,
               .height = 10,
               .width = 9,
               .channels = 4,
               .filters = 6,
               .kernel_h = 3,
               .kernel_w = 2,
               .stride_h = 1,
               .stride_w = 3,
               .dilation_h = 2,
               .dilation_w = 4,
               .pad_top = 1,
               .pad_left = 2,
               .out_height = 8,
               .out_width = 3})
      .check();
}

// Windows of pixels of few channels, which are read from copied lines.
TEST_P(MatMulConv, ReadsPixelsInAnyOrderAndTakesTheirMeanOff) {
  const float mean[] = {0.5F, -2, 1.5F, 0.25F};
  for (int channels = 1; channels <= 4; channels++)
    for (const bool planar : {false, true})
      for (const float* taken : {static_cast<const float*>(nullptr), mean})
        Convolution({.images = 2,
                     .height = 21,
                     .width = 61,
                     .channels = channels,
                     .filters = 40,
                     .kernel_h = 7,
                     .kernel_w = 7,
                     .stride_h = 2,
                     .stride_w = 2,
                     .pad_top = 3,
                     .pad_left = 3,
                     .out_height = 11,
                     .out_width = 31,
                     .threads = 2,
                     .planar = planar,
                     .mean = taken})
            .check();
}

TEST_P(MatMulConv, ReadsPixelsByWindowsThatReachBeyondTheImageOrLeaveSomeOut) {
  // Wider than the image and its padding on the left.
  Convolution({.images = 1,
               .height = 3,
               .width = 2,
               .channels = 3,
               .filters = 5,
               .kernel_h = 3,
               .kernel_w = 9,
               .pad_top = 1,
               .pad_left = 4,
               .out_height = 3,
               .out_width = 2})
      .check();
  // Nothing on the right of the image's 40 pixels but the last five unread.
  Convolution({.images = 1,
               .height = 9,
               .width = 45,
               .channels = 3,
               .filters = 16,
               .kernel_h = 1,
               .kernel_w = 4,
               .stride_h = 3,
               .stride_w = 4,
               .out_height = 3,
               .out_width = 10,
               .planar = true})
      .check();
  // Lines apart, pixels not.
  Convolution convolution({.images = 1,
                           .height = 12,
                           .width = 10,
                           .channels = 2,
                           .filters = 33,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .dilation_h = 3,
                           .pad_top = 2,
                           .pad_left = 1,
                           .out_height = 10,
                           .out_width = 10,
                           .relu = true});
  convolution.add_residual();
  convolution.check();
}

TEST_P(MatMulConv, TakesEverySecondPixelOfAPointwiseOne) {
  Convolution({.images = 2,
               .height = 5,
               .width = 7,
               .channels = 18,
               .filters = 34,
               .stride_h = 2,
               .stride_w = 2,
               .out_height = 3,
               .out_width = 4})
      .check();
}

TEST_P(MatMulConv, WorksWithoutABias) {
  Convolution convolution({.images = 50, .channels = 9, .filters = 20, .threads = 3});
  convolution.problem.bias = nullptr;
  convolution.check();
}

TEST_P(MatMulConv, WritesLargeOutputsPastTheCaches) {
  Convolution convolution({.images = 4200, .channels = 2, .filters = 2048 + 16, .relu = true});
  ASSERT_TRUE(convolution.problem.past_caches());
  convolution.add_residual();
  convolution.check();
}

// Results pooled as they come are those that are written and pooled afterwards, to the last bit.
TEST_P(MatMulConv, PoolsItsResults) {
  constexpr Encoding kEncodings[] = {{}, {Format::kBfloat16}, {Format::kUint8, 0.02F, 3}};
  for (const Encoding& encoding : kEncodings)
    for (const auto& [height, width, filters, threads] :
         {std::array{75, 61, 64, 1}, {76, 40, 19, 2}, {5, 4, 3, 16}, {1, 2, 8, 1}, {40, 1, 17, 2}}) {
      Convolution conv({.images = 2,
                        .height = height,
                        .width = width,
                        .channels = 3,
                        .filters = filters,
                        .kernel_h = 3,
                        .kernel_w = 3,
                        .pad_top = 1,
                        .pad_left = 1,
                        .out_height = height,
                        .out_width = width,
                        .threads = threads,
                        .relu = true});
      conv.check();
      matmul_conv::Problem pooled = conv.problem;
      pooled.pooled = true;
      const size_t numbers = static_cast<size_t>(2) * pooled.pool_height() * pooled.pool_width() * filters;
      Encoded y;
      y.write(Aligned<float>(numbers + 1, -1), encoding);
      pooled.y = y.target();
      y.target().set(numbers, 1);
      conv.run(pooled);
      for (size_t i = 0; i < numbers; i++)
        ASSERT_EQ(y.source()[i], encoded(conv.largest(i), encoding)) << "number " << i;
      EXPECT_EQ(y.source()[numbers], encoded(1, encoding)) << "written behind the output";
    }
}

EVERY_TARGET(MatMulConv);

}  // namespace
}  // namespace caffe2rt
