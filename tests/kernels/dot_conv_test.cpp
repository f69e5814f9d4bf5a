#include "kernels/dot_conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/arrays.h"
#include "kernels/encoding.h"

namespace caffe2rt {
namespace {

// A kind of numbers, and a way to compute.
using Case = std::tuple<dot_conv::Kind, dot_conv::Way>;

// One convolution, and its definition on what the numbers were rounded to.
struct Convolution {
  dot_conv::Problem problem;
  Aligned<float> x, filter, bias, residual, y;
  Encoded narrow_x, narrow_residual, narrow_y;
  std::vector<float> scales;
  std::vector<double> inputs, weights;  // what x and the filter were rounded to
  std::vector<std::int8_t> filter8;
  std::vector<std::int32_t> offsets;

  Convolution(Case kind_and_way, const matmul_conv::Problem& conv) {
    problem.conv = conv;
    std::tie(problem.kind, problem.way) = kind_and_way;
    x = noise(static_cast<size_t>(conv.images) * conv.height * conv.width * conv.channels, 1);
    filter = noise(conv.depth() * conv.filters, 2);
    bias = noise(conv.filters, 3);
    problem.conv.x = x.data();
    problem.conv.bias = bias.data();
    problem.input_scale = 0.03F;
    problem.input_zero = 128;
    for (const float v : filter)
      filter8.push_back(static_cast<std::int8_t>(std::lround(std::clamp(v * 40, -127.F, 127.F))));
    for (int m = 0; m < conv.filters; m++) {
      std::int32_t sum = 0;
      for (size_t k = 0; k < conv.depth(); k++) sum += filter8[m * conv.depth() + k];
      offsets.push_back(-problem.input_zero * sum);
      scales.push_back(problem.input_scale / 40 * (1 + 0.1F * static_cast<float>(m)));
    }
    problem.scales = scales.data();
    problem.offsets = offsets.data();
  }

  void add_residual() {
    residual = noise(problem.conv.rows() * problem.conv.filters, 4);
    problem.conv.residual = residual.data();
  }

  // Computes y, and a number behind it that must stay what it is.
  void run(const Encoding& of_y = {}) {
    const matmul_conv::Problem& conv = problem.conv;
    const size_t window = static_cast<size_t>(conv.kernel_h) * conv.kernel_w;
    Aligned<std::uint8_t> packed(dot_conv::packed_size(problem.kind, conv.depth(), conv.filters));
    // What earlier convolutions left in memory must not matter.
    Aligned<float> scratch(dot_conv::scratch_size(problem), std::numeric_limits<float>::quiet_NaN());
    if (problem.kind == dot_conv::Kind::kBfloat16)
      dot_conv::pack_bfloat16(filter.data(), conv.filters, conv.channels, window, packed.data());
    else
      dot_conv::pack_int8(filter8.data(), conv.filters, conv.channels, window, packed.data());
    problem.packed = packed.data();
    y.assign(conv.rows() * conv.filters + 1, NAN);
    problem.conv.y = {y.data(), of_y};
    for (int block = dot_conv::count_blocks(problem); block-- > 0;)
      dot_conv::run(problem, block, block + 1, scratch.data());
    EXPECT_TRUE(std::isnan(y.back())) << "written behind the output";
  }

  // As run(), with x, residual and y in other formats.
  std::vector<float> run_in(const Encoding& of_x, const Encoding& of_residual, const Encoding& of_y) {
    problem.conv.x = narrow_x.write(x, of_x);
    if (problem.conv.residual) problem.conv.residual = narrow_residual.write(residual, of_residual);
    run(of_y);
    problem.conv.x = x.data();
    std::vector<float> results;
    for (size_t i = 0; i + 1 < y.size(); i++) results.push_back(Source(y.data(), of_y)[i]);
    return results;
  }

  void check() {
    run();
    inputs.clear();
    weights.clear();
    for (const float v : x) inputs.push_back(input(v));
    for (size_t i = 0; i < filter.size(); i++) weights.push_back(weight(i));
    const matmul_conv::Problem& conv = problem.conv;
    const double scale = std::sqrt(static_cast<double>(conv.depth()));
    for (size_t row = 0; row < conv.rows(); row++)
      for (int m = 0; m < conv.filters; m++)
        // Of sums of float32 products of bfloat16 only the order differs; integer sums are exact.
        ASSERT_NEAR(y[row * conv.filters + m], expected(row, m),
                    1e-5 * scale + 1e-6 * std::abs(expected(row, m)))
            << "row " << row << ", filter " << m;
  }

  double input(float v) const {
    if (problem.kind == dot_conv::Kind::kBfloat16) return rounded(v);
    return std::clamp(std::nearbyint(v / problem.input_scale) + problem.input_zero, 0.F, 255.F) -
           problem.input_zero;
  }
  double weight(size_t i) const {
    return problem.kind == dot_conv::Kind::kBfloat16 ? rounded(filter[i]) : filter8[i];
  }

  // To 8 bits of mantissa, ties to even.
  static double rounded(float v) {
    int exponent = 0;
    const double mantissa = std::frexp(v, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
  }

  double expected(size_t row, int m) const {
    const auto& p = problem.conv;
    const int column = static_cast<int>(row % p.out_width),
              line = static_cast<int>(row / p.out_width % p.out_height);
    const size_t image = row / p.out_width / p.out_height;
    double sum = 0;
    for (int i = 0; i < p.kernel_h; i++)
      for (int j = 0; j < p.kernel_w; j++) {
        const int h = line * p.stride_h - p.pad_top + i, w = column * p.stride_w - p.pad_left + j;
        if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
        for (int c = 0; c < p.channels; c++)
          sum += inputs[((image * p.height + h) * p.width + w) * p.channels + c] *
                 weights[((static_cast<size_t>(m) * p.channels + c) * p.kernel_h + i) * p.kernel_w + j];
      }
    if (problem.kind == dot_conv::Kind::kInt8) sum *= scales[m];
    if (p.bias) sum += p.bias[m];
    const size_t half = (image * (p.out_height / 2) + line / 2) * (p.out_width / 2) + column / 2;
    if (p.residual) sum += p.residual[(p.residual_scale == 2 ? half : row) * p.filters + m];
    if (p.hard_swish) sum *= std::clamp(p.hard_swish.alpha * sum + p.hard_swish.beta, 0.0, 1.0);
    return p.relu ? std::max(sum, 0.0) : sum;
  }
};

// What the kind of a convolution multiplies.
Encoding multiplied(const Convolution& c) {
  if (c.problem.kind == dot_conv::Kind::kBfloat16) return {.format = Format::kBfloat16};
  return {Format::kUint8, c.problem.input_scale, c.problem.input_zero};
}

// A compiler may round what an encoded number stands for together with what it is added to.
void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) ASSERT_NEAR(a[i], b[i], 1e-5 * (1 + std::abs(b[i]))) << i;
}

const Encoding kFormats[] = {{}, {.format = Format::kBfloat16}, {Format::kUint8, 0.06F, 120}};

class DotConv : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const auto [kind, way] = GetParam();
    if (!dot_conv::has(way, kind)) GTEST_SKIP() << "this processor lacks AVX-512 with BF16 or VNNI";
  }
};

TEST_P(DotConv, APixelIsARow) {
  Convolution(
      GetParam(),
      {.images = 1, .height = 6, .width = 7, .channels = 20, .filters = 64, .out_height = 6, .out_width = 7})
      .check();
}

TEST_P(DotConv, TakesAnyNumberOfChannelsAndFilters) {
  for (const int filters : {1, 15, 16, 17, 31, 33, 47})
    Convolution(GetParam(), {.images = 29, .channels = filters / 2 + 3, .filters = filters}).check();
}

TEST_P(DotConv, SumsDepthsOfSeveralSlicesBeforeTheResidualAndTheActivation) {
  Convolution convolution(GetParam(), {.images = 33, .channels = 5201, .filters = 20, .relu = true});
  convolution.add_residual();
  convolution.check();
}

TEST_P(DotConv, EndsWithAHardSwish) {
  for (const int channels : {20, 3000}) {
    Convolution convolution(
        GetParam(), {.images = 9, .channels = channels, .filters = 40, .hard_swish = {1.0F / 6, 0.5F}});
    convolution.add_residual();
    convolution.check();
  }
}

TEST_P(DotConv, AddsAResidualOfHalfTheSize) {
  for (const int filters : {64, 40, 5})
    for (const int channels : {20, 3000}) {
      Convolution convolution(GetParam(), {.images = 2,
                                           .height = 4,
                                           .width = 6,
                                           .channels = channels,
                                           .filters = filters,
                                           .out_height = 4,
                                           .out_width = 6,
                                           .residual_scale = 2,
                                           .relu = true});
      convolution.add_residual();
      convolution.residual.resize(convolution.problem.conv.rows() / 4 * filters);
      convolution.check();
    }
}

TEST_P(DotConv, GathersWhatTheWindowShows) {
  Convolution(GetParam(), {.images = 2,
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
  Convolution(GetParam(), {.images = 1,
                           .height = 5,
                           .width = 8,
                           .channels = 33,
                           .filters = 40,
                           .kernel_h = 3,
                           .kernel_w = 3,
                           .pad_top = 1,
                           .pad_left = 1,
                           .out_height = 5,
                           .out_width = 8})
      .check();
}

TEST_P(DotConv, SlidesOverPixelsThatAreConvertedOnce) {
  // Lines that are shorter and longer than a block, of several images, with and without padding.
  for (const auto& [images, height, width, pad] :
       {std::array{2, 6, 7, 1}, {1, 3, 300, 1}, {3, 5, 70, 0}, {1, 40, 33, 1}, {5, 14, 14, 1}}) {
    Convolution convolution(GetParam(), {.images = images,
                                         .height = height,
                                         .width = width,
                                         .channels = 64,
                                         .filters = 40,
                                         .kernel_h = 3,
                                         .kernel_w = 3,
                                         .pad_top = pad,
                                         .pad_left = pad,
                                         .out_height = height + 2 * pad - 2,
                                         .out_width = width + 2 * pad - 2,
                                         .threads = 2,
                                         .relu = true});
    convolution.add_residual();
    convolution.check();
  }
}

// Of many shapes: what a pixel is, gathered or sliding windows, several slices of the depth, ends of panels.
TEST_P(DotConv, ReadsAndWritesArraysOfEveryFormat) {
  std::vector<matmul_conv::Problem> shapes = {{.images = 50, .channels = 21, .filters = 40, .relu = true},
                                              {.images = 33, .channels = 5200, .filters = 64}};
  for (const int channels : {3, 64})
    shapes.push_back({.images = 2,
                      .height = 6,
                      .width = 7,
                      .channels = channels,
                      .filters = 48,
                      .kernel_h = 3,
                      .kernel_w = 3,
                      .pad_top = 1,
                      .pad_left = 1,
                      .out_height = 6,
                      .out_width = 7});
  for (const matmul_conv::Problem& shape : shapes) {
    Convolution convolution(GetParam(), shape);
    convolution.add_residual();
    const Encoding of_x = multiplied(convolution);
    const std::vector<float> plain = convolution.run_in({}, {}, {});
    EXPECT_EQ(convolution.run_in(of_x, {}, {}), plain);
    Convolution halves(GetParam(), shape);
    halves.add_residual();
    const std::vector<float> from_halves = halves.run_in({.format = Format::kBfloat16}, {}, {});
    for (float& v : halves.x) v = from_bfloat16(to_bfloat16(v));
    EXPECT_EQ(halves.run_in({}, {}, {}), from_halves);
    for (const Encoding& of_y : kFormats) {
      const std::vector<float> narrow = convolution.run_in(of_x, {}, of_y);
      for (size_t i = 0; i < plain.size(); i++) ASSERT_EQ(narrow[i], encoded(plain[i], of_y)) << i;
    }
    for (const Encoding& of_residual : kFormats) {
      const std::vector<float> narrow = convolution.run_in({}, of_residual, {});
      Convolution rounded(GetParam(), shape);
      rounded.add_residual();
      for (float& v : rounded.residual) v = encoded(v, of_residual);
      expect_near(narrow, rounded.run_in({}, {}, {}));
    }
  }
}

TEST_P(DotConv, AddsAResidualOfHalfTheSizeInEveryFormat) {
  for (const Encoding& format : kFormats) {
    const auto make = [] {
      Convolution c(GetParam(), {.images = 2,
                                 .height = 4,
                                 .width = 6,
                                 .channels = 20,
                                 .filters = 40,
                                 .out_height = 4,
                                 .out_width = 6,
                                 .residual_scale = 2});
      c.add_residual();
      c.residual.resize(c.problem.conv.rows() / 4 * 40);
      return c;
    };
    Convolution narrow = make(), rounded = make();
    narrow.problem.conv.residual = narrow.residual.data();
    for (float& v : rounded.residual) v = encoded(v, format);
    rounded.problem.conv.residual = rounded.residual.data();
    expect_near(narrow.run_in({}, format, {}), rounded.run_in({}, {}, {}));
  }
}

TEST_P(DotConv, WorksWithoutABias) {
  Convolution convolution(GetParam(), {.images = 50, .channels = 9, .filters = 20, .threads = 3});
  convolution.problem.conv.bias = nullptr;
  convolution.check();
}

TEST_P(DotConv, WhatIsNotANumberStaysInItsRow) {
  Convolution convolution(GetParam(), {.images = 40, .channels = 21, .filters = 16, .relu = true});
  for (int c = 0; c < 21; c++) convolution.x[7 * 21 + c] = std::numeric_limits<float>::quiet_NaN();
  Convolution finite(GetParam(), {.images = 40, .channels = 21, .filters = 16, .relu = true});
  finite.check();
  convolution.x[7 * 21] = std::numeric_limits<float>::infinity();
  convolution.run();
  for (size_t i = 0; i < 40 * 16; i++)
    if (i / 16 != 7) {
      ASSERT_EQ(convolution.y[i], finite.y[i]) << i;
    }
}

TEST_P(DotConv, WritesLargeOutputsPastTheCaches) {
  Convolution convolution(GetParam(), {.images = 4200, .channels = 2, .filters = 2048 + 16, .relu = true});
  convolution.add_residual();
  convolution.check();
  ASSERT_TRUE(convolution.problem.conv.past_caches());
}

std::string name(const testing::TestParamInfo<Case>& info) {
  const auto [kind, way] = info.param;
  const char* ways[] = {"Plain", "Widened", "Vectors", "Tiles"};
  return std::string(kind == dot_conv::Kind::kBfloat16 ? "Bfloat16" : "Int8") + ways[static_cast<int>(way)];
}

INSTANTIATE_TEST_SUITE_P(, DotConv,
                         testing::Combine(testing::Values(dot_conv::Kind::kBfloat16, dot_conv::Kind::kInt8),
                                          testing::Values(dot_conv::Way::kPlain, dot_conv::Way::kWidened,
                                                          dot_conv::Way::kVectors, dot_conv::Way::kTiles)),
                         name);

TEST(DotConvWays, ThePlainOneIsEverywhere) {
  for (const auto kind : {dot_conv::Kind::kBfloat16, dot_conv::Kind::kInt8}) {
    EXPECT_TRUE(dot_conv::has(dot_conv::Way::kPlain, kind));
    EXPECT_TRUE(dot_conv::has(dot_conv::fastest(kind), kind));
  }
}

}  // namespace
}  // namespace caffe2rt
