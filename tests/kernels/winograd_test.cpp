#include "kernels/winograd.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/arrays.h"
#include "kernels/matmul_conv.h"
#include "kernels/past_caches.h"
#include "kernels/targets.h"

namespace caffe2rt {
namespace {

// A convolution and memory for all that it reads and writes.
struct Convolution {
  winograd::Problem problem;
  Aligned<float> x, filter, bias, residual, y;

  Convolution(int tile, int images, int height, int width, int channels, int filters, int pad = 1) {
    problem = {.weights = {.tile = tile, .channels = channels, .filters = filters},
               .images = images,
               .height = height,
               .width = width,
               .pad = pad};
    const size_t pixels = static_cast<size_t>(images) * problem.out_height() * problem.out_width();
    x = noise(static_cast<size_t>(images) * height * width * channels, 1);
    filter = noise(static_cast<size_t>(filters) * channels * 9, 2);  // of several groups fewer are used
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
        const float* pixel = &x[((static_cast<size_t>(n) * p.height + r) * p.width + c) * p.weights.channels];
        const int channels = p.weights.group_channels(), first = k / p.weights.group_filters() * channels;
        for (int channel = 0; channel < channels; channel++)
          sum += static_cast<double>(pixel[first + channel]) *
                 filter[((static_cast<size_t>(k) * channels + channel) * 3 + i) * 3 + j];
      }
    if (p.residual) sum += residual[index(n, row, column, k)];
    return p.relu ? std::max(sum, 0.0) : sum;
  }

  size_t index(int n, int row, int column, int k) const {
    return ((static_cast<size_t>(n) * problem.out_height() + row) * problem.out_width() + column) *
               problem.weights.filters +
           k;
  }

  // Whether all results are finite.
  bool run() {
    Aligned<float> packed(winograd::packed_size(problem.weights) / sizeof(float)),
        scratch(winograd::scratch_size(problem));
    winograd::pack(problem.weights, filter.data(), packed.data());
    problem.packed = packed.data();
    Aligned<std::uint8_t> matrices(winograd::matrices_size(problem.weights));
    if (!matrices.empty())
      for (int part = winograd::count_parts(problem.weights); part-- > 0;)  // in any order
        winograd::make_matrices(problem.weights, packed.data(), part, part + 1, matrices.data());
    problem.matrices = matrices.data();
    bool finite = true;
    for (int block = winograd::count_blocks(problem); block-- > 0;)  // in any order
      finite = winograd::run(problem, block, block + 1, scratch.data()) && finite;
    return finite;
  }

  void expect_right() const {
    constexpr double kTolerances[] = {5e-5, 1.4e-2, 5e-2};
    const double tolerance = kTolerances[static_cast<int>(problem.weights.numbers)];
    const double scale = std::sqrt(9.0 * problem.weights.channels);  // of the sums
    for (int n = 0; n < problem.images; n++)
      for (int row = 0; row < problem.out_height(); row++)
        for (int column = 0; column < problem.out_width(); column++)
          for (int k = 0; k < problem.weights.filters; k++)
            ASSERT_NEAR(y[index(n, row, column, k)], expected(n, row, column, k), tolerance * scale)
                << "image " << n << ", row " << row << ", column " << column << ", filter " << k;
  }
};

using Winograd = WithTarget;
constexpr int kTiles[] = {4, 6};

TEST_P(Winograd, IsTheConvolution) {
  for (const int tile : kTiles) {
    Convolution convolution(tile, 1, 8, 12, 32, 64);
    EXPECT_TRUE(convolution.run());
    convolution.expect_right();
  }
}

TEST_P(Winograd, TakesSizesThatNoTileAndNoVectorDivides) {
  for (const int tile : kTiles)
    for (const auto& [height, width, channels, filters] :
         {std::array{7, 5, 3, 5}, {1, 1, 1, 1}, {2, 9, 17, 33}, {6, 3, 40, 70}}) {
      Convolution convolution(tile, 1, height, width, channels, filters);
      EXPECT_TRUE(convolution.run());
      convolution.expect_right();
    }
}

TEST_P(Winograd, TakesBatchesOfManyBlocks) {
  Convolution convolution(4, 5, 14, 14, 24, 40);
  convolution.problem.threads = 3;
  ASSERT_EQ(winograd::count_blocks(convolution.problem), 3);
  EXPECT_TRUE(convolution.run());
  convolution.expect_right();
}

TEST_P(Winograd, LeavesTheBorderOutWithoutPadding) {
  for (const int tile : kTiles) {
    Convolution convolution(tile, 2, 9, 11, 16, 16, /*pad=*/0);
    EXPECT_TRUE(convolution.run());
    convolution.expect_right();
  }
}

TEST_P(Winograd, AddsTheResidualBeforeTheActivation) {
  for (const int tile : kTiles) {
    Convolution convolution(tile, 1, 10, 10, 20, 36);
    convolution.problem.residual = convolution.residual.data();
    convolution.problem.relu = true;
    convolution.problem.bias = nullptr;
    EXPECT_TRUE(convolution.run());
    convolution.expect_right();
  }
}

TEST_P(Winograd, ReadsAndWritesArraysOfEveryFormat) {
  const Encoding formats[] = {{}, {.format = Format::kBfloat16}, {Format::kUint8, 0.05F, 120}};
  for (const int tile : kTiles)
    for (const Encoding& of_x : formats)
      for (const Encoding& of_residual : formats) {
        Convolution rounded(tile, 1, 7, 9, 37, 21);
        for (float& v : rounded.x) v = encoded(v, of_x);
        for (float& v : rounded.residual) v = encoded(v, of_residual);
        rounded.problem.residual = rounded.residual.data();
        rounded.run();
        Convolution narrow(tile, 1, 7, 9, 37, 21);
        Encoded x, residual;
        narrow.problem.x = x.write(narrow.x, of_x);
        narrow.problem.residual = residual.write(narrow.residual, of_residual);
        narrow.run();
        // A compiler may round what an encoded number stands for together with what it is added to.
        for (size_t i = 0; i < rounded.y.size(); i++) ASSERT_NEAR(narrow.y[i], rounded.y[i], 1e-4) << i;
        const Aligned<float> plain = narrow.y;
        for (const Encoding& of_y : formats) {
          narrow.problem.y = {narrow.y.data(), of_y};
          narrow.run();
          const Source y(narrow.y.data(), of_y);
          for (size_t i = 0; i < plain.size(); i++) ASSERT_EQ(y[i], encoded(plain[i], of_y)) << i;
        }
      }
}

TEST_P(Winograd, WhatIsNoNumberStaysNoneInAFormatThatHasSuch) {
  Convolution convolution(4, 1, 4, 4, 16, 16);
  convolution.x[0] = NAN;
  convolution.problem.y = {convolution.y.data(), {.format = Format::kBfloat16}};
  convolution.run();
  EXPECT_TRUE(std::isnan(Source(convolution.y.data(), convolution.problem.y.encoding)[0]));
  convolution.problem.y = {convolution.y.data(), {Format::kUint8, 1, 7}};
  convolution.run();
  EXPECT_EQ(Source(convolution.y.data(), convolution.problem.y.encoding)[0], -7);
}

TEST_P(Winograd, ImagesThatAreJoinedAreAsEachByItself) {
  for (const int tile : kTiles)
    for (const int pad : {0, 1})
      for (const auto& [images, height, width] :
           {std::array{1, 14, 14}, {2, 14, 14}, {7, 14, 14}, {10, 7, 7}, {9, 3, 5}, {5, 29, 6}}) {
        Convolution convolution(tile, images, height, width, 18, 20, pad);
        convolution.problem.joined = true;
        convolution.problem.threads = 2;
        EXPECT_TRUE(convolution.run());
        convolution.expect_right();
      }
}

TEST_P(Winograd, ImagesThatAreJoinedTakeFewerTiles) {
  // 14x14 results in tiles of 6x6 are 9 tiles; 10 by 2 images, and lines of zeros between them, 125.
  Convolution convolution(6, 20, 14, 14, 1, 1);
  winograd::Problem& p = convolution.problem;
  p.threads = 1000;  // a block a tile
  EXPECT_EQ(winograd::count_blocks(p), 180);
  p.joined = true;
  EXPECT_EQ(winograd::count_blocks(p), 125);
}

TEST_P(Winograd, TellsWhereAResultIsNotFinite) {
  for (const int tile : kTiles)
    for (const float strange : {NAN, INFINITY}) {
      Convolution convolution(tile, 4, 14, 14, 20, 36);
      convolution.x[3] = strange;
      convolution.problem.relu = true;
      EXPECT_FALSE(convolution.run());
    }
}

TEST_P(Winograd, FiltersOfAGroupSeeItsChannelsAlone) {
  // Groups that fit together into a slice, some that do not all, and one that is larger than any.
  for (const auto& [groups, channels, filters] :
       {std::array{2, 16, 16}, {11, 16, 32}, {3, 48, 16}, {2, 160, 176}})
    for (const int tile : kTiles) {
      Convolution convolution(tile, 2, 5, 8, groups * channels, groups * filters);
      convolution.problem.weights.groups = groups;
      convolution.problem.residual = convolution.residual.data();
      convolution.problem.threads = 2;
      EXPECT_TRUE(convolution.run());
      convolution.expect_right();
    }
}

TEST_P(Winograd, MultipliesIntegersWithScales) {
  for (const winograd::Numbers numbers : {winograd::Numbers::kInt16, winograd::Numbers::kInt8})
    for (const auto& [height, width, channels, filters] :
         {std::array{8, 12, 32, 64}, {7, 5, 3, 5}, {1, 1, 1, 1}, {6, 3, 41, 70}, {20, 30, 128, 40}}) {
      Convolution convolution(4, 1, height, width, channels, filters);
      convolution.problem.weights.numbers = numbers;
      convolution.problem.residual = convolution.residual.data();
      EXPECT_TRUE(convolution.run());
      convolution.expect_right();
    }
}

// Filters of 8 bits are transformed as they are: what they stand for gives the same.
TEST_P(Winograd, FiltersOfEightBitsAreThoseThatTheyAreRoundedTo) {
  Convolution eight(4, 1, 9, 10, 24, 40), rounded(4, 1, 9, 10, 24, 40);
  for (size_t k = 0; k < 40; k++) {
    float* filter = rounded.filter.data() + k * 24 * 9;
    float largest = 0;
    for (size_t i = 0; i < size_t{24} * 9; i++) largest = std::max(largest, std::abs(filter[i]));
    for (size_t i = 0; i < size_t{24} * 9; i++)
      filter[i] = std::nearbyint(filter[i] * 127 / largest) * (largest / 127);
  }
  eight.problem.weights.numbers = winograd::Numbers::kInt8;
  rounded.problem.weights.numbers = winograd::Numbers::kInt16;
  eight.run();
  rounded.run();
  for (size_t i = 0; i < eight.y.size(); i++) ASSERT_NEAR(eight.y[i], rounded.y[i], 0.2) << i;
  EXPECT_LT(winograd::packed_size(eight.problem.weights), winograd::packed_size(rounded.problem.weights));
}

TEST_P(Winograd, ResultsGoThroughAConvolutionOfSinglePixels) {
  for (const int tile : kTiles)
    for (const auto& [filters, columns] : {std::array{40, 15}, {64, 32}, {5, 1}, {19, 17}}) {
      Convolution conv(tile, 2, 9, 14, 18, filters);
      conv.problem.relu = true;
      conv.run();
      const Aligned<float> weights = noise(static_cast<size_t>(filters) * columns, 5),
                           bias = noise(columns, 6);
      Aligned<float> packed(matmul_conv::packed_size(filters, columns)), y(conv.y.size() / filters * columns);
      matmul_conv::pack(weights.data(), columns, filters, 1, packed.data());
      const Aligned<float> results = conv.y;
      conv.problem.pointwise = packed.data();
      conv.problem.columns = columns;
      conv.problem.pointwise_bias = bias.data();
      conv.problem.y = y.data();
      EXPECT_TRUE(conv.run());
      for (size_t i = 0; i < y.size(); i++) {
        double sum = bias[i % columns];
        for (int k = 0; k < filters; k++)
          sum += static_cast<double>(results[i / columns * filters + k]) * weights[i % columns * filters + k];
        ASSERT_NEAR(y[i], sum, 1e-3) << i;
      }
    }
}

TEST_P(Winograd, TilesOfIntegersHaveScalesOfTheirOwn) {
  Convolution convolution(4, 1, 8, 64, 16, 16);
  convolution.problem.weights.numbers = winograd::Numbers::kInt16;
  convolution.problem.bias = nullptr;
  for (int row = 0; row < 8; row++)  // far from the rest, and far larger
    for (int column = 40; column < 64; column++)
      for (int c = 0; c < 16; c++) convolution.x[(row * 64 + column) * 16 + c] *= 1e6F;
  convolution.run();
  for (int column = 0; column < 36; column++)
    for (int k = 0; k < 16; k++)
      ASSERT_NEAR(convolution.y[convolution.index(0, 3, column, k)], convolution.expected(0, 3, column, k),
                  0.2)
          << "column " << column << ", filter " << k;
}

TEST_P(Winograd, WritesLargeOutputsPastTheCaches) {
  Convolution convolution(4, 1, 64, 66, 1, 2032);
  ASSERT_TRUE(past_caches(convolution.y.data(), convolution.y.size(), 2032));
  EXPECT_TRUE(convolution.run());
  convolution.expect_right();
}

EVERY_TARGET(Winograd);

}  // namespace
}  // namespace caffe2rt
