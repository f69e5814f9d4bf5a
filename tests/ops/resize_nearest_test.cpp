#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Args scaled(float height, float width) { return {{"height_scale", height}, {"width_scale", width}}; }

TEST(ResizeNearest, RepeatsPixels) {
  const auto y = run_operator("ResizeNearest", {tensor({1, 1, 1, 2}, {1, 2})}, scaled(2, 3));
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 2, 6}, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(ResizeNearest, LeavesOutPixels) {
  const auto y = run_operator("ResizeNearest", {tensor({1, 1, 1, 5}, {1, 2, 3, 4, 5})}, scaled(1, 0.6F));
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 1, 3}, {1, 2, 4}));
}

TEST(ResizeNearest, AgreesWithAPlainLoopInEveryLayout) {
  const auto x = random({2, 3, 5, 7});
  const float h = 1.7F, w = 0.45F;
  const auto y = run_operator("ResizeNearest", {x}, scaled(h, w));
  EXPECT_SHAPE(y, {2, 3, 8, 3});
  for_each_index(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    const auto from_y = std::min<int64_t>(static_cast<int64_t>(static_cast<float>(i) / h), 4);
    const auto from_x = std::min<int64_t>(static_cast<int64_t>(static_cast<float>(j) / w), 6);
    ASSERT_EQ(at(y, n, c, i, j), at(x, n, c, from_y, from_x));
  });
  const auto last =
      run_operator("ResizeNearest", {x.contiguous(at::MemoryFormat::ChannelsLast)}, scaled(h, w));
  EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TENSOR_EQ(last, y);
  Args nhwc = scaled(h, w);
  nhwc.emplace_back("order", "NHWC");
  EXPECT_TENSOR_EQ(run_operator("ResizeNearest", {x.permute({0, 2, 3, 1}).contiguous()}, nhwc),
                   y.permute({0, 2, 3, 1}));
}

TEST(ResizeNearest, FedScalesReplaceTheArguments) {
  EXPECT_SHAPE(run_operator("ResizeNearest", {random({1, 1, 6, 6}), tensor({2}, {2, 0.5F})}, scaled(7, 7)),
               {1, 1, 12, 3});
}

TEST(ResizeNearest, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("ResizeNearest", {tensor({0, 3, 4, 4}, {})}, scaled(2, 2)), {0, 3, 8, 8});
  EXPECT_SHAPE(run_operator("ResizeNearest", {random({1, 1, 4, 4})}, scaled(0.1F, 1)), {1, 1, 0, 4});
}

TEST(ResizeNearest, RefusesScalesThatMakeNoSense) {
  const auto x = random({1, 1, 2, 2});
  EXPECT_ERROR(run_operator("ResizeNearest", {x}, scaled(-1, 1)), ErrorCode::kArgument,
               "got height -1 and width 1");
  EXPECT_ERROR(run_operator("ResizeNearest", {x, tensor({2}, {NAN, 1})}), ErrorCode::kArgument,
               "got height nan");
  EXPECT_ERROR(run_operator("ResizeNearest", {x, tensor({1}, {1})}), ErrorCode::kShape,
               "expected (2), got (1)");
  EXPECT_ERROR(run_operator("ResizeNearest", {random({2, 2, 2})}), ErrorCode::kShape,
               "expected 4 dimensions");
  EXPECT_ERROR(run_operator("ResizeNearest", {x}, {{"order", "CHWN"}}), ErrorCode::kArgument, "NCHW or NHWC");
}

}  // namespace
}  // namespace caffe2rt
