#include <ATen/ops/convolution.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr auto kOp = "caffe2rt.DeformConv";

TEST(DeformConv, ReadsWhereTheOffsetsPoint) {
  const auto x = tensor({1, 1, 2, 2}, {1, 2, 3, 4});
  // Down by one and right by a half, from each of the four pixels; nothing is outside.
  const auto offset = tensor({1, 2, 2, 2}, {1, 1, 1, 1, 0.5F, 0.5F, 0.5F, 0.5F});
  EXPECT_TENSOR_EQ(run_operator(kOp, {x, offset, tensor({1, 1, 1, 1}, {10})}, {{"kernel", 1}}),
                   tensor({1, 1, 2, 2}, {35, 20, 0, 0}));
}

TEST(DeformConv, MultipliesByTheMaskAndAddsTheBias) {
  const auto x = tensor({1, 1, 1, 2}, {1, 2});
  const auto y = run_operator(kOp,
                              {x, at::zeros({1, 2, 1, 2}), tensor({1, 1, 1, 1}, {10}), tensor({1}, {5}),
                               tensor({1, 1, 1, 2}, {0.5F, 0})},
                              {{"kernel", 1}});
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 1, 2}, {10, 5}));
}

TEST(DeformConv, WithoutOffsetsIsAConvolution) {
  const auto x = random({2, 4, 9, 11}), filter = random({6, 2, 3, 3});
  const auto y = run_operator(kOp, {x, at::zeros({2, 18, 5, 6}), filter},
                              {{"kernel", 3}, {"stride", 2}, {"pad", 1}, {"group", 2}});
  const auto plain = at::convolution(x, filter, {}, {2, 2}, {1, 1}, {1, 1}, false, {0, 0}, 2);
  EXPECT_TENSOR_NEAR(y, plain, 1e-4);
}

float pixel(const at::Tensor& x, int64_t n, int64_t c, int64_t h, int64_t w) {
  return h >= 0 && w >= 0 && h < x.size(2) && w < x.size(3) ? at(x, n, c, h, w) : 0;
}

float bilinear(const at::Tensor& x, int64_t n, int64_t c, float h, float w) {
  const float top = std::floor(h), left = std::floor(w), dh = h - top, dw = w - left;
  const auto y0 = static_cast<int64_t>(top), x0 = static_cast<int64_t>(left);
  return (1 - dh) * ((1 - dw) * pixel(x, n, c, y0, x0) + dw * pixel(x, n, c, y0, x0 + 1)) +
         dh * ((1 - dw) * pixel(x, n, c, y0 + 1, x0) + dw * pixel(x, n, c, y0 + 1, x0 + 1));
}

TEST(DeformConv, AgreesWithAPlainLoop) {
  const auto x = random({2, 4, 7, 8}), filter = random({3, 4, 3, 3}), bias = random({3});
  const auto offset = random({2, 36, 7, 8}), mask = random({2, 18, 7, 8});  // two groups of offsets
  const auto y = run_operator(kOp, {x, offset, filter, bias, mask},
                              {{"kernel", 3}, {"pad", 2}, {"dilation", 2}, {"deformable_group", 2}});
  for_each_index(y, [&](int64_t n, int64_t m, int64_t h, int64_t w) {
    float expected = at(bias, m);
    for (int64_t c = 0; c < 4; c++)
      for (int64_t k = 0; k < 9; k++) {
        const int64_t tap = c / 2 * 9 + k;
        const float sample =
            bilinear(x, n, c, static_cast<float>(h - 2 + k / 3 * 2) + at(offset, n, 2 * tap, h, w),
                     static_cast<float>(w - 2 + k % 3 * 2) + at(offset, n, 2 * tap + 1, h, w));
        expected += at(filter, m, c, k / 3, k % 3) * at(mask, n, tap, h, w) * sample;
      }
    ASSERT_NEAR(at(y, n, m, h, w), expected, 1e-4);
  });
}

TEST(DeformConv, OffsetsFarOutsideOrNotANumberReadZero) {
  const auto x = tensor({1, 1, 1, 2}, {1, 2});
  const auto offset = tensor({1, 2, 1, 2}, {1e30F, NAN, 0, 0});
  EXPECT_TENSOR_EQ(run_operator(kOp, {x, offset, tensor({1, 1, 1, 1}, {1})}, {{"kernel", 1}}),
                   tensor({1, 1, 1, 2}, {0, 0}));
}

TEST(DeformConv, EmptyBatchGivesEmptyOutput) {
  const auto y = run_operator(kOp, {at::zeros({0, 1, 4, 4}), at::zeros({0, 18, 2, 2}), random({5, 1, 3, 3})},
                              {{"kernel", 3}});
  EXPECT_SHAPE(y, {0, 5, 2, 2});
}

TEST(DeformConv, RefusesShapesThatDoNotFit) {
  const auto x = random({1, 2, 4, 4}), filter = random({1, 2, 3, 3});
  EXPECT_ERROR(run_operator(kOp, {x, random({1, 9, 2, 2}), filter}, {{"kernel", 3}}), ErrorCode::kShape,
               "input 1 'offset': expected (1,18,2,2), got (1,9,2,2)");
  EXPECT_ERROR(run_operator(kOp, {x, random({1, 18, 2, 2}), random({1, 3, 3, 3})}, {{"kernel", 3}}),
               ErrorCode::kShape, "input 2 'filter'");
  EXPECT_ERROR(run_operator(kOp, {x, random({1, 18, 2, 2}), filter, random({1}), random({1, 8, 2, 2})},
                            {{"kernel", 3}}),
               ErrorCode::kShape, "input 4 'mask'");
  EXPECT_ERROR(run_operator(kOp, {x, random({1, 18, 2, 2}), filter}, {{"kernel", 3}, {"order", "NHWC"}}),
               ErrorCode::kArgument, "expected two spatial axes in NCHW order");
}

}  // namespace
}  // namespace caffe2rt
