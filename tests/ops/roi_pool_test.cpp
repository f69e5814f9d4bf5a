#include <cmath>
#include <limits>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Args pooled(int height, int width, float scale = 1) {
  return {{"pooled_h", height}, {"pooled_w", width}, {"spatial_scale", scale}};
}

TEST(RoIPool, TakesTheLargestPixelOfEachBin) {
  const auto x = tensor({1, 1, 2, 3}, {0, 1, 2, 3, 4, 5});
  const auto out = run_operator_outputs("RoIPool", {x, tensor({1, 5}, {0, 0, 0, 2, 1})}, pooled(2, 2), 2);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 1, 2, 2}, {1, 2, 4, 5}));
  EXPECT_TENSOR_EQ(out[1], int32_tensor({1, 1, 2, 2}, {1, 2, 4, 5}));
}

TEST(RoIPool, OutsideOfTheImageThereIsNothing) {
  const auto x = tensor({1, 1, 1, 2}, {-3, -4});
  const auto out = run_operator_outputs("RoIPool", {x, tensor({1, 5}, {0, -1, 0, 0, 0})}, pooled(1, 2), 2);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 1, 1, 2}, {0, -3}));
  EXPECT_TENSOR_EQ(out[1], int32_tensor({1, 1, 1, 2}, {-1, 0}));
}

TEST(RoIPool, AgreesWithAPlainLoopInEveryLayout) {
  const auto x = random({2, 3, 9, 11});
  const auto rois = tensor({4, 5}, {0, 2, 2, 17, 15, 1, 5, 3, 5, 3, 1, 9, 9, 3, 3, 0, -4, -6, 30, 9});
  const auto out = run_operator_outputs("RoIPool", {x, rois}, pooled(3, 2, 0.5F), 2);
  for_each_index(out[0], [&](int64_t r, int64_t c, int64_t ph, int64_t pw) {
    const auto corner = [&](int i) { return std::lround(at(rois, r, i) * 0.5F); };
    const auto first = [](int64_t bin, double size) { return static_cast<int64_t>(std::floor(bin * size)); };
    const auto last = [](int64_t bin, double size) {
      return static_cast<int64_t>(std::ceil((bin + 1) * size));
    };
    const double h = static_cast<double>(std::max(corner(4) - corner(2) + 1, 1L)) / 3,
                 w = static_cast<double>(std::max(corner(3) - corner(1) + 1, 1L)) / 2;
    float most = -std::numeric_limits<float>::max();
    bool empty = true;
    for (int64_t i = corner(2) + first(ph, h); i < corner(2) + last(ph, h); i++)
      for (int64_t j = corner(1) + first(pw, w); j < corner(1) + last(pw, w); j++) {
        if (i < 0 || j < 0 || i >= 9 || j >= 11) continue;
        empty = false;
        most = std::max(most, at(x, static_cast<int64_t>(at(rois, r, 0)), c, i, j));
      }
    ASSERT_EQ(at(out[0], r, c, ph, pw), empty ? 0 : most);
  });
  const auto last = run_operator_outputs("RoIPool", {x.contiguous(at::MemoryFormat::ChannelsLast), rois},
                                         pooled(3, 2, 0.5F), 2);
  EXPECT_TENSOR_EQ(last[0], out[0]);
  EXPECT_TENSOR_EQ(last[1], out[1]);
}

TEST(RoIPool, HasNoArgmaxesInTest) {
  Args args = pooled(2, 2);
  args.emplace_back("is_test", 1);
  const auto x = random({1, 2, 4, 4}), rois = tensor({1, 5}, {0, 0, 0, 3, 3});
  EXPECT_TENSOR_EQ(run_operator("RoIPool", {x, rois}, args),
                   run_operator_outputs("RoIPool", {x, rois}, pooled(2, 2), 2)[0]);
  EXPECT_ERROR(run_operator_outputs("RoIPool", {x, rois}, args, 2), ErrorCode::kGraph,
               "expected 1 output with is_test, got 2");
  EXPECT_TENSOR_EQ(run_operator("RoIPool", {x, rois}, pooled(2, 2)),
                   run_operator("RoIPool", {x, rois}, args));
}

TEST(RoIPool, EmptyRoisGiveEmptyOutput) {
  EXPECT_SHAPE(
      run_operator_outputs("RoIPool", {random({1, 2, 4, 4}), tensor({0, 5}, {})}, pooled(3, 3), 2)[0],
      {0, 2, 3, 3});
}

TEST(RoIPool, RefusesRegionsThatMakeNoSense) {
  const auto run = [](const at::Tensor& rois, const Args& args) {
    return run_operator_outputs("RoIPool", {random({1, 2, 4, 4}), rois}, args, 2);
  };
  EXPECT_ERROR(run(tensor({1, 4}, {0, 0, 1, 1}), {}), ErrorCode::kShape,
               "input 1 'rois': expected (?,5), got (1,4)");
  EXPECT_ERROR(run(tensor({1, 5}, {1, 0, 0, 1, 1}), {}), ErrorCode::kArgument,
               "region 0 belongs to image 1, of 1");
  EXPECT_ERROR(run(tensor({1, 5}, {NAN, 0, 0, 1, 1}), {}), ErrorCode::kArgument, "belongs to image nan");
  EXPECT_ERROR(run(tensor({1, 5}, {0, 0, NAN, 1, 1}), {}), ErrorCode::kArgument, "got nan");
  EXPECT_ERROR(run(tensor({1, 5}, {0, 0, 0, 1e30F, 1}), {}), ErrorCode::kArgument,
               "region 0: expected a pixel of the feature map, got 1e+30");
  EXPECT_ERROR(run(tensor({1, 5}, {0, 0, 0, 1, 1}), {{"pooled_h", 0}}), ErrorCode::kArgument,
               "expected at least 1, got 0 and 1");
  EXPECT_ERROR(run(tensor({1, 5}, {0, 0, 0, 1, 1}), {{"order", "NHWC"}}), ErrorCode::kArgument,
               "argument 'order': expected NCHW, got NHWC");
}

}  // namespace
}  // namespace caffe2rt
