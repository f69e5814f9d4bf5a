#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A map of size x size cells that is a parabola with its peak at (x,y) in cells, whose corners count from 0.
at::Tensor hill(int64_t size, float x, float y) {
  at::Tensor t = random({1, 1, size, size});
  for (int64_t i = 0; i < size * size; i++) {
    const float dx = static_cast<float>(i % size) + 0.5F - x, dy = static_cast<float>(i / size) + 0.5F - y;
    t.data_ptr<float>()[i] = 5 - dx * dx - 2 * dy * dy;
  }
  return t;
}

TEST(HeatmapMaxKeypoint, FindsThePeakBetweenCells) {
  const auto y =
      run_operator("HeatmapMaxKeypoint", {hill(8, 3.25F, 4.625F), tensor({1, 4}, {10, 20, 18, 36})});
  EXPECT_TENSOR_NEAR(y, tensor({1, 4, 1}, {13.25F, 29.25F, 5, 0}), 1e-5);
}

TEST(HeatmapMaxKeypoint, FlatMapGivesTheFirstCell) {
  const auto y =
      run_operator("HeatmapMaxKeypoint", {tensor({1, 1, 2, 2}, {1, 1, 1, 1}), tensor({1, 4}, {0, 0, 10, 10})},
                   {{"should_output_softmax", 1}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 4, 1}, {2.5F, 2.5F, 1, 0.25F}), 1e-6);
}

TEST(HeatmapMaxKeypoint, ProbabilityIsThatOfTheMaximum) {
  const auto x = random({1, 1, 5, 5});
  const auto y =
      run_operator("HeatmapMaxKeypoint", {x, tensor({1, 4}, {0, 0, 10, 10})}, {{"should_output_softmax", 1}});
  double sum = 0, most = 0;
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    sum += std::exp(at(x, n, c, h, w));
    most = std::max(most, static_cast<double>(std::exp(at(x, n, c, h, w))));
  });
  EXPECT_NEAR(at(y, 0, 3, 0), most / sum, 1e-6);
}

TEST(HeatmapMaxKeypoint, BoxesAreAtLeastAPixelWide) {
  const auto y = run_operator("HeatmapMaxKeypoint", {hill(4, 2, 2), tensor({1, 4}, {7, 7, 7, 7})});
  EXPECT_NEAR(at(y, 0, 0, 0), 7.5, 1e-5);
}

TEST(HeatmapMaxKeypoint, EveryKeypointIsAColumn) {
  EXPECT_SHAPE(run_operator("HeatmapMaxKeypoint", {random({3, 17, 4, 4}), random({3, 5})}), {3, 4, 17});
}

TEST(HeatmapMaxKeypoint, NoRegionsGiveNoKeypoints) {
  EXPECT_SHAPE(run_operator("HeatmapMaxKeypoint", {tensor({0, 17, 4, 4}, {}), tensor({0, 4}, {})}),
               {0, 4, 17});
}

TEST(HeatmapMaxKeypoint, RefusesMapsAndBoxesThatDoNotFit) {
  EXPECT_ERROR(run_operator("HeatmapMaxKeypoint", {random({1, 1, 2, 3}), random({1, 4})}), ErrorCode::kShape,
               "got 2x3");
  EXPECT_ERROR(run_operator("HeatmapMaxKeypoint", {random({1, 1, 1, 1}), random({1, 4})}), ErrorCode::kShape,
               "at least 2x2");
  EXPECT_ERROR(run_operator("HeatmapMaxKeypoint", {random({1, 1, 2, 2}), random({2, 4})}), ErrorCode::kShape,
               "expected (1,?)");
  EXPECT_ERROR(run_operator("HeatmapMaxKeypoint", {random({1, 1, 2, 2}), random({1, 3})}), ErrorCode::kShape,
               "got 3");
}

}  // namespace
}  // namespace caffe2rt
