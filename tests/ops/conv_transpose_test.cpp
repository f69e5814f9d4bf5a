#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(ConvTranspose, SpreadsEachElementOverItsWindow) {
  const auto x = tensor({1, 1, 1, 2}, {1, 2});
  const auto y =
      run_operator("ConvTranspose", {x, tensor({1, 1, 2, 2}, {1, 2, 3, 4})}, {{"kernel", 2}, {"stride", 2}});
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 2, 4}, {1, 2, 2, 4, 3, 4, 6, 8}));
}

TEST(ConvTranspose, AddsWhereWindowsOverlap) {
  const auto x = tensor({1, 1, 1, 2}, {1, 2});
  const auto y = run_operator("ConvTranspose", {x, tensor({1, 1, 1, 2}, {1, 10}), tensor({1}, {0.5F})},
                              {{"kernels", Ints{1, 2}}});
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 1, 3}, {1.5F, 12.5F, 20.5F}));
}

TEST(ConvTranspose, AdjAddsRowsAndColumnsOfBias) {
  const auto y = run_operator("ConvTranspose",
                              {tensor({1, 1, 1, 1}, {3}), tensor({1, 1, 1, 1}, {2}), tensor({1}, {0.5F})},
                              {{"kernel", 1}, {"stride", 2}, {"adj", 1}});
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 2, 2}, {6.5F, 0.5F, 0.5F, 0.5F}));
}

TEST(ConvTranspose, AgreesWithAPlainLoopOnGroupsAndUnevenPadding) {
  const auto x = random({2, 4, 4, 5}), filter = random({4, 3, 3, 2}), bias = random({6});
  const std::int64_t stride = 2, top = 1, left = 0;
  const auto y = run_operator("ConvTranspose", {x, filter, bias},
                              {{"kernels", Ints{3, 2}},
                               {"stride", stride},
                               {"pads", Ints{top, left, 0, 1}},
                               {"group", 2},
                               {"adj", 1}});
  ASSERT_EQ(y.sizes().vec(), (Shape{2, 6, 9, 10}));
  for_each_index(y, [&](auto n, auto m, auto i, auto j) {
    double sum = at(bias, m);
    for_each_index(filter, [&](auto c, auto mg, auto kh, auto kw) {
      const auto h = i + top - kh, w = j + left - kw;
      if (c / 2 * 3 + mg != m || h < 0 || w < 0 || h % stride || w % stride) return;
      if (h / stride < x.size(2) && w / stride < x.size(3))
        sum += static_cast<double>(at(x, n, c, h / stride, w / stride)) * at(filter, c, mg, kh, kw);
    });
    ASSERT_NEAR(at(y, n, m, i, j), sum, 1e-5) << n << ' ' << m << ' ' << i << ' ' << j;
  });
}

// One channel by itself is what the same convolution of that channel alone gives.
TEST(ConvTranspose, AGroupAChannelIsAConvolutionOfEachChannel) {
  const auto x = random({2, 70, 4, 5}), filter = random({70, 1, 4, 3}), bias = random({70});
  const Args args = {{"kernels", Ints{4, 3}}, {"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 1, 0}}};
  Args grouped = args;
  grouped.emplace_back("group", 70);
  const auto y = run_operator("ConvTranspose", {x, filter, bias}, grouped);
  ASSERT_EQ(y.sizes().vec(), (Shape{2, 70, 8, 15}));
  for (const std::int64_t c : {0, 1, 63, 64, 69}) {
    const auto one = [&](const at::Tensor& t, std::int64_t axis) {
      return t.slice(axis, c, c + 1).contiguous();
    };
    EXPECT_TENSOR_NEAR(one(y, 1),
                       run_operator("ConvTranspose", {one(x, 1), one(filter, 0), one(bias, 0)}, args), 1e-5);
  }
}

TEST(ConvTranspose, GivesTheSameInNhwc) {
  const auto x = random({2, 4, 3, 3}), filter = random({4, 3, 2, 2}), bias = random({3});
  const auto y =
      run_operator("ConvTranspose",
                   {x.permute({0, 2, 3, 1}).contiguous(), filter.permute({0, 2, 3, 1}).contiguous(), bias},
                   {{"kernel", 2}, {"stride", 2}, {"order", "NHWC"}});
  EXPECT_TENSOR_NEAR(y.permute({0, 3, 1, 2}),
                     run_operator("ConvTranspose", {x, filter, bias}, {{"kernel", 2}, {"stride", 2}}), 1e-5);
}

TEST(ConvTranspose, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("ConvTranspose", {tensor({0, 2, 3, 3}, {}), random({2, 5, 2, 2})},
                            {{"kernel", 2}, {"stride", 2}}),
               {0, 5, 6, 6});
}

TEST(ConvTranspose, RefusesAFilterThatDoesNotFit) {
  const auto x = random({1, 4, 3, 3});
  EXPECT_ERROR(run_operator("ConvTranspose", {x, random({3, 2, 2, 2})}, {{"kernel", 2}}), ErrorCode::kShape,
               "input 1 'filter': expected (4,2,2,2), got (3,2,2,2)");
  EXPECT_ERROR(compile_operator("ConvTranspose", {x, random({4, 2, 2, 2}), random({4})}, {{"kernel", 2}}),
               ErrorCode::kShape, "input 2 'bias': expected (2), got (4)");
}

TEST(ConvTranspose, RefusesWhatTheOriginalHasNoMeaningFor) {
  const std::vector<at::Tensor> in = {random({1, 4, 3, 3}), random({4, 2, 2, 2})};
  const auto refused = [&](const Args& args, const char* text) {
    EXPECT_ERROR(run_operator("ConvTranspose", in, args), ErrorCode::kArgument, text);
  };
  refused({{"kernel", 2}, {"stride", 2}, {"adj", 2}}, "less than the stride 2, got 2");
  refused({{"kernel", 2}, {"pad", -1}}, "argument 'pads': expected at least 0, got -1");
  refused({{"kernels", Ints{2}}}, "argument 'kernels': expected 2 numbers, got 1");
  refused({{"kernel", 2}, {"legacy_pad", 3}}, "argument 'legacy_pad'");
}

TEST(ConvTranspose, RefusesPaddingThatLeavesNothing) {
  EXPECT_ERROR(run_operator("ConvTranspose", {random({1, 1, 1, 1}), random({1, 1, 2, 2})},
                            {{"kernel", 2}, {"pad", 1}}),
               ErrorCode::kShape, "the padding leaves none");
}

}  // namespace
}  // namespace caffe2rt
