#include <limits>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

const auto kPools = {"MaxPool", "AveragePool"};

at::Tensor nine() { return tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}); }

TEST(MaxPool, TakesTheLargestOfEachWindow) {
  EXPECT_TENSOR_EQ(run_operator("MaxPool", {nine()}, {{"kernel", 2}}), tensor({1, 1, 2, 2}, {5, 6, 8, 9}));
}

TEST(MaxPool, PaddingIsNeverTheLargest) {
  EXPECT_TENSOR_EQ(
      run_operator("MaxPool", {nine().neg()}, {{"kernel", 3}, {"stride", 2}, {"pads", Ints{2, 0, 0, 2}}}),
      tensor({1, 1, 2, 2}, {-1, -3, -1, -3}));
}

TEST(AveragePool, TakesTheMeanOfEachWindow) {
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {nine()}, {{"kernel", 2}}),
                   tensor({1, 1, 2, 2}, {3, 4, 6, 7}));
}

TEST(AveragePool, PaddingDoesNotCountUnlessAskedFor) {
  const Args args = {{"kernel", 2}, {"stride", 2}, {"pads", Ints{1, 1, 0, 0}}};
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {nine()}, args), tensor({1, 1, 2, 2}, {1, 2.5F, 5.5F, 7}));
  Args counted = args;
  counted.emplace_back("count_include_pad", 1);
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {nine()}, counted),
                   tensor({1, 1, 2, 2}, {0.25F, 1.25F, 2.75F, 7}));
}

TEST(Pool, CaffesPaddingRoundsTheSizeUp) {
  const Args args = {{"kernel", 2}, {"stride", 2}, {"legacy_pad", 3}};
  EXPECT_TENSOR_EQ(run_operator("MaxPool", {nine()}, args), tensor({1, 1, 2, 2}, {5, 6, 8, 9}));
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {nine()}, args), tensor({1, 1, 2, 2}, {3, 4.5F, 7.5F, 9}));
}

TEST(Pool, GlobalPoolingCoversTheImage) {
  EXPECT_TENSOR_EQ(run_operator("MaxPool", {nine()}, {{"global_pooling", 1}}), tensor({1, 1, 1, 1}, {9}));
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {nine()}, {{"global_pooling", 1}}), tensor({1, 1, 1, 1}, {5}));
}

TEST(Pool, AWindowOutsideTheImageGivesZero) {
  const auto x = tensor({1, 1, 1, 6}, {-1, -2, -3, -4, -5, -6});
  for (const char* type : kPools)
    EXPECT_TENSOR_EQ(run_operator(type, {x}, {{"kernel", 1}, {"stride", 4}, {"legacy_pad", 3}}),
                     tensor({1, 1, 1, 3}, {-1, -5, 0}));
}

TEST(Pool, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 8, 9});
  const std::int64_t kernel = 3, stride = 2, top = 2, left = 1;
  const Args args = {{"kernel", kernel}, {"stride", stride}, {"pads", Ints{top, left, 0, 2}}};
  const auto max = run_operator("MaxPool", {x}, args), mean = run_operator("AveragePool", {x}, args);
  ASSERT_EQ(max.sizes().vec(), (Shape{2, 3, 4, 5}));
  for_each_index(max, [&](auto n, auto c, auto i, auto j) {
    float most = -std::numeric_limits<float>::infinity(), sum = 0;
    int count = 0;
    for (auto h = std::max<std::int64_t>(0, i * stride - top);
         h < std::min(x.size(2), i * stride - top + kernel); h++)
      for (auto w = std::max<std::int64_t>(0, j * stride - left);
           w < std::min(x.size(3), j * stride - left + kernel); w++, count++) {
        most = std::max(most, at(x, n, c, h, w));
        sum += at(x, n, c, h, w);
      }
    ASSERT_EQ(at(max, n, c, i, j), most);
    ASSERT_NEAR(at(mean, n, c, i, j), sum / static_cast<float>(count), 1e-6);
  });
}

TEST(Pool, GivesTheSameInNhwc) {
  const auto x = random({2, 3, 6, 5});
  for (const char* type : kPools)
    for (const Args& args : {Args{{"kernel", 3}, {"stride", 2}, {"pad", 1}}, Args{{"global_pooling", 1}}}) {
      Args nhwc = args;
      nhwc.emplace_back("order", "NHWC");
      EXPECT_TENSOR_NEAR(
          run_operator(type, {x.permute({0, 2, 3, 1}).contiguous()}, nhwc).permute({0, 3, 1, 2}),
          run_operator(type, {x}, args), 1e-6);
    }
}

TEST(Pool, WorksOnOneAndThreeAxes) {
  const auto line = tensor({1, 1, 4}, {1, 2, 4, 3});
  EXPECT_TENSOR_EQ(run_operator("MaxPool", {line}, {{"kernels", Ints{2}}}), tensor({1, 1, 3}, {2, 4, 4}));
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {line}, {{"kernels", Ints{2}}}),
                   tensor({1, 1, 3}, {1.5F, 3, 3.5F}));
  const auto cube = tensor({1, 1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_TENSOR_EQ(run_operator("MaxPool", {cube}, {{"kernels", Ints{2, 2, 2}}}),
                   tensor({1, 1, 1, 1, 1}, {8}));
  EXPECT_TENSOR_EQ(run_operator("AveragePool", {cube}, {{"kernels", Ints{1, 1, 2}}}),
                   tensor({1, 1, 2, 2, 1}, {1.5F, 3.5F, 5.5F, 7.5F}));
}

TEST(Pool, EmptyBatchGivesEmptyOutput) {
  for (const char* type : kPools) {
    EXPECT_SHAPE(run_operator(type, {tensor({0, 2, 4, 4}, {})}, {{"kernel", 2}}), {0, 2, 3, 3});
    EXPECT_SHAPE(run_operator(type, {tensor({0, 2, 4, 4}, {})}, {{"global_pooling", 1}}), {0, 2, 1, 1});
  }
}

TEST(Pool, RefusesWhatHasNoMeaning) {
  for (const char* type : kPools) {
    EXPECT_ERROR(run_operator(type, {nine()}, {{"kernel", 2}, {"dilation", 2}}), ErrorCode::kArgument,
                 "'dilation'");
    EXPECT_ERROR(run_operator(type, {nine()}, {{"kernel", 2}, {"pad", 2}}), ErrorCode::kArgument,
                 "argument 'pads': expected less than the kernel's 2, got 2");
    EXPECT_ERROR(run_operator(type, {nine()}, {{"kernel", 4}}), ErrorCode::kShape,
                 "expected at least 4 elements");
    EXPECT_ERROR(run_operator(type, {random({3, 3})}, {{"kernel", 2}}), ErrorCode::kShape, "got (3,3)");
    EXPECT_ERROR(run_operator(type, {tensor({1, 1, 0, 3}, {})}, {{"global_pooling", 1}}), ErrorCode::kShape,
                 "expected an image, got (1,1,0,3)");
  }
}

}  // namespace
}  // namespace caffe2rt
