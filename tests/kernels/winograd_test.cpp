#include "kernels/winograd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>

#include "kernels/targets.h"

namespace caffe2rt {
namespace {

std::vector<float> noise(size_t count, int seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

// A convolution and memory for all that it reads and writes.
struct Convolution {
  winograd::Problem problem;
  std::vector<float> x, filter, bias, residual, y;

  Convolution(int images, int height, int width, int channels, int filters, int pad = 1) {
    problem = {.images = images,
               .height = height,
               .width = width,
               .channels = channels,
               .filters = filters,
               .pad = pad};
    const size_t pixels = static_cast<size_t>(images) * problem.out_height() * problem.out_width();
    x = noise(static_cast<size_t>(images) * height * width * channels, 1);
    filter = noise(static_cast<size_t>(filters) * channels * 9, 2);
    bias = noise(filters, 3);
    residual = noise(pixels * filters, 4);
    y.assign(pixels * filters, NAN);
    problem.x = x.data();
    problem.bias = bias.data();
    problem.y = y.data();
  }

  double expected(int n, int row, int column, int k) const {
    const auto& p = problem;
    double sum = p.bias ? bias[k] : 0;
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        const int r = row - p.pad + i, c = column - p.pad + j;
        if (r < 0 || r >= p.height || c < 0 || c >= p.width) continue;
        const float* pixel = &x[((static_cast<size_t>(n) * p.height + r) * p.width + c) * p.channels];
        for (int channel = 0; channel < p.channels; channel++)
          sum += static_cast<double>(pixel[channel]) *
                 filter[((static_cast<size_t>(k) * p.channels + channel) * 3 + i) * 3 + j];
      }
    if (p.residual) sum += residual[index(n, row, column, k)];
    return p.relu ? std::max(sum, 0.0) : sum;
  }

  size_t index(int n, int row, int column, int k) const {
    return ((static_cast<size_t>(n) * problem.out_height() + row) * problem.out_width() + column) *
               problem.filters +
           k;
  }

  void run() {
    std::unique_ptr<float[], decltype(&std::free)> packed(
        allocate(winograd::packed_size(problem.channels, problem.filters)), &std::free),
        scratch(allocate(winograd::scratch_size(problem)), &std::free);
    winograd::pack(filter.data(), problem.channels, problem.filters, packed.get());
    problem.packed = packed.get();
    for (int block = winograd::count_blocks(problem); block-- > 0;)  // in any order
      winograd::run(problem, block, block + 1, scratch.get());
  }

  void expect_right() const {
    const double scale = std::sqrt(9.0 * problem.channels);  // of the sums
    for (int n = 0; n < problem.images; n++)
      for (int row = 0; row < problem.out_height(); row++)
        for (int column = 0; column < problem.out_width(); column++)
          for (int k = 0; k < problem.filters; k++)
            ASSERT_NEAR(y[index(n, row, column, k)], expected(n, row, column, k), 3e-5 * scale)
                << "image " << n << ", row " << row << ", column " << column << ", filter " << k;
  }

 private:
  static float* allocate(size_t count) {
    return static_cast<float*>(std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64));
  }
};

using Winograd = WithTarget;

TEST_P(Winograd, IsTheConvolution) {
  Convolution convolution(1, 8, 12, 32, 64);
  convolution.run();
  convolution.expect_right();
}

TEST_P(Winograd, TakesSizesThatNoTileAndNoVectorDivides) {
  for (const auto& [height, width, channels, filters] :
       {std::array{7, 5, 3, 5}, {1, 1, 1, 1}, {2, 9, 17, 33}, {6, 3, 40, 70}}) {
    Convolution convolution(1, height, width, channels, filters);
    convolution.run();
    convolution.expect_right();
  }
}

TEST_P(Winograd, TakesBatchesOfManyBlocks) {
  Convolution convolution(5, 14, 14, 24, 40);
  convolution.problem.threads = 3;
  ASSERT_EQ(winograd::count_blocks(convolution.problem), 3);
  convolution.run();
  convolution.expect_right();
}

TEST_P(Winograd, LeavesTheBorderOutWithoutPadding) {
  Convolution convolution(2, 9, 11, 16, 16, /*pad=*/0);
  convolution.run();
  convolution.expect_right();
}

TEST_P(Winograd, AddsTheResidualBeforeTheActivation) {
  Convolution convolution(1, 10, 10, 20, 36);
  convolution.problem.residual = convolution.residual.data();
  convolution.problem.relu = true;
  convolution.problem.bias = nullptr;
  convolution.run();
  convolution.expect_right();
}

EVERY_TARGET(Winograd);

}  // namespace
}  // namespace caffe2rt
