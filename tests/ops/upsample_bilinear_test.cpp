#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Args scaled(float height, float width) { return {{"height_scale", height}, {"width_scale", width}}; }

TEST(UpsampleBilinear, PutsCornersOnCorners) {
  EXPECT_TENSOR_NEAR(run_operator("UpsampleBilinear", {tensor({1, 1, 1, 2}, {0, 3})}, scaled(1, 2)),
                     tensor({1, 1, 1, 4}, {0, 1, 2, 3}), 1e-6);
}

TEST(UpsampleBilinear, AgreesWithAPlainLoopInEveryLayout) {
  const auto x = random({2, 3, 5, 7});
  const auto y = run_operator("UpsampleBilinear", {x}, scaled(1.7F, 0.6F));
  EXPECT_SHAPE(y, {2, 3, 8, 4});
  for_each_index(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    const double v = i * 4 / 7.0, u = j * 6 / 3.0;
    const auto top = static_cast<int64_t>(v), left = static_cast<int64_t>(u);
    const double down = v - static_cast<double>(top), right = u - static_cast<double>(left);
    const auto pixel = [&](int64_t row, int64_t column) {
      return static_cast<double>(at(x, n, c, std::min<int64_t>(row, 4), std::min<int64_t>(column, 6)));
    };
    const double above = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right;
    const double below = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right;
    ASSERT_NEAR(at(y, n, c, i, j), above * (1 - down) + below * down, 1e-5);
  });
  const auto last =
      run_operator("UpsampleBilinear", {x.contiguous(at::MemoryFormat::ChannelsLast)}, scaled(1.7F, 0.6F));
  EXPECT_TENSOR_NEAR(last, y, 1e-6);
}

TEST(UpsampleBilinear, FedScalesReplaceTheArguments) {
  EXPECT_SHAPE(run_operator("UpsampleBilinear", {random({1, 1, 6, 6}), tensor({2}, {2, 0.5F})}, scaled(7, 7)),
               {1, 1, 12, 3});
}

TEST(UpsampleBilinear, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("UpsampleBilinear", {tensor({0, 3, 4, 4}, {})}, scaled(2, 2)), {0, 3, 8, 8});
  EXPECT_SHAPE(run_operator("UpsampleBilinear", {random({1, 1, 4, 4})}, scaled(0.1F, 1)), {1, 1, 0, 4});
}

TEST(UpsampleBilinear, RefusesWhatMakesNoSense) {
  const auto x = random({1, 1, 2, 2});
  EXPECT_ERROR(run_operator("UpsampleBilinear", {x}, scaled(-1, 1)), ErrorCode::kArgument,
               "got height -1 and width 1");
  EXPECT_ERROR(run_operator("UpsampleBilinear", {x, tensor({2}, {NAN, 1})}), ErrorCode::kArgument,
               "got height nan");
  EXPECT_ERROR(run_operator("UpsampleBilinear", {x, tensor({1}, {1})}), ErrorCode::kShape,
               "expected (2), got (1)");
  EXPECT_ERROR(run_operator("UpsampleBilinear", {random({2, 2, 2})}), ErrorCode::kShape,
               "expected 4 dimensions");
}

}  // namespace
}  // namespace caffe2rt
