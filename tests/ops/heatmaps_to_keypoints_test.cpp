#include <ATen/ops/zeros.h>

#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr const char* kType = "caffe2rt.HeatmapsToKeypoints";

// A map of 4x4 cells that is 0 but for one.
at::Tensor one_cell(std::int64_t row, std::int64_t column, float value) {
  at::Tensor map = at::zeros({1, 1, 4, 4});
  map[0][0][row][column] = value;
  return map;
}

TEST(HeatmapsToKeypoints, FindsTheHighestPixelOfTheStretchedMap) {
  // Of a region of the map's own size the cells are the pixels.
  const at::Tensor y = run_operator(kType, {one_cell(1, 2, 5), tensor({1, 4}, {10, 20, 14, 24})});
  EXPECT_TENSOR_NEAR(y, tensor({1, 1, 3}, {12.5F, 21.5F, 1 / (1 + 15 * std::exp(-5.0F))}), 1e-5);
}

TEST(HeatmapsToKeypoints, KeypointsAreNearTheirCellInARegionOfAnySize) {
  const at::Tensor y = run_operator(kType, {one_cell(3, 0, 50), tensor({1, 4}, {100, 50, 180, 70})});
  EXPECT_NEAR(at(y, 0, 0, 0), 100 + 80 * 0.5 / 4, 11);
  EXPECT_NEAR(at(y, 0, 0, 1), 50 + 20 * 3.5 / 4, 3);
}

TEST(HeatmapsToKeypoints, RegionsAreAtLeastAPixelWide) {
  const at::Tensor y = run_operator(kType, {one_cell(0, 0, 1), tensor({1, 5}, {7, 8, 7, 8, 30})});
  EXPECT_EQ(at(y, 0, 0, 0), 7.5);
  EXPECT_EQ(at(y, 0, 0, 1), 8.5);
}

TEST(HeatmapsToKeypoints, EveryKeypointOfEveryRegionIsARow) {
  EXPECT_SHAPE(run_operator(kType, {random({3, 17, 4, 6}), tensor({3, 4}, std::vector<float>(12, 1))}),
               {3, 17, 3});
  EXPECT_SHAPE(run_operator(kType, {tensor({0, 17, 4, 4}, {}), tensor({0, 4}, {})}), {0, 17, 3});
}

TEST(HeatmapsToKeypoints, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(run_operator(kType, {random({1, 4, 4}), random({1, 4})}), ErrorCode::kShape,
               "input 0 'heatmaps'");
  EXPECT_ERROR(run_operator(kType, {random({2, 1, 4, 4}), random({1, 4})}), ErrorCode::kShape,
               "input 1 'boxes'");
  EXPECT_ERROR(run_operator(kType, {random({1, 1, 4, 4}), random({1, 3})}), ErrorCode::kShape,
               "at least 4 columns, got 3");
  EXPECT_ERROR(run_operator(kType, {random({1, 1, 4, 4}), tensor({1, 4}, {0, 0, 1e6F, 4})}),
               ErrorCode::kLimit, "expected a box of at most");
}

}  // namespace
}  // namespace caffe2rt
