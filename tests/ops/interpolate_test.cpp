#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Args scaled(const char* mode, float height, float width, bool align_corners = false) {
  return {{"mode", mode}, {"height_scale", height}, {"width_scale", width}, {"align_corners", align_corners}};
}

TEST(Interpolate, RepeatsThePixelsNextToEach) {
  const auto y =
      run_operator("caffe2rt.Interpolate", {tensor({1, 1, 1, 2}, {1, 2})}, scaled("nearest", 2, 3));
  EXPECT_TENSOR_EQ(y, tensor({1, 1, 2, 6}, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(Interpolate, BlendsBetweenPixelCentres) {
  const auto x = tensor({1, 1, 1, 2}, {0, 4});
  EXPECT_TENSOR_EQ(run_operator("caffe2rt.Interpolate", {x}, scaled("bilinear", 1, 2)),
                   tensor({1, 1, 1, 4}, {0, 1, 3, 4}));
  const auto aligned = run_operator("caffe2rt.Interpolate", {x}, scaled("bilinear", 1, 2.5F, true));
  EXPECT_TENSOR_EQ(aligned, tensor({1, 1, 1, 5}, {0, 1, 2, 3, 4}));
}

// As a double 1.3 makes thirteen pixels of ten, and as a float it is less.
TEST(Interpolate, MakesAsManyPixelsAsPyTorch) {
  const auto x = random({1, 1, 10, 7});
  EXPECT_SHAPE(run_operator("caffe2rt.Interpolate", {x}, scaled("nearest", 1.3F, 1.3F)), {1, 1, 13, 9});
  EXPECT_SHAPE(run_operator("caffe2rt.Interpolate", {x}, scaled("nearest", 0.7F, 13.0F / 7)), {1, 1, 7, 13});
}

TEST(Interpolate, TakesItsSizeFromAnother) {
  const auto x = random({2, 3, 4, 5}), like = random({1, 7, 9, 6});
  const auto y = run_operator("caffe2rt.Interpolate", {x, like}, {{"mode", "bilinear"}});
  EXPECT_SHAPE(y, {2, 3, 9, 6});
  const auto value = [&](int64_t n, int64_t c, double row, double column) {
    const auto top = static_cast<int64_t>(std::floor(row)), left = static_cast<int64_t>(std::floor(column));
    const double fy = row - static_cast<double>(top), fx = column - static_cast<double>(left);
    const int64_t below = std::min<int64_t>(top + 1, 3), right = std::min<int64_t>(left + 1, 4);
    return (1 - fy) * ((1 - fx) * at(x, n, c, top, left) + fx * at(x, n, c, top, right)) +
           fy * ((1 - fx) * at(x, n, c, below, left) + fx * at(x, n, c, below, right));
  };
  for_each_index(y, [&](int64_t n, int64_t c, int64_t i, int64_t j) {
    const double row = std::clamp((static_cast<double>(i) + 0.5) * 4 / 9 - 0.5, 0.0, 3.0);
    const double column = std::clamp((static_cast<double>(j) + 0.5) * 5 / 6 - 0.5, 0.0, 4.0);
    ASSERT_NEAR(at(y, n, c, i, j), value(n, c, row, column), 1e-5);
  });
}

TEST(Interpolate, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("caffe2rt.Interpolate", {tensor({0, 3, 4, 4}, {})}, scaled("bilinear", 2, 2)),
               {0, 3, 8, 8});
}

TEST(Interpolate, RefusesWhatMakesNoSense) {
  const auto x = random({1, 1, 2, 2});
  const auto refuses = [](std::initializer_list<at::Tensor> inputs, const Args& args, ErrorCode code,
                          const char* message) {
    EXPECT_ERROR(run_operator("caffe2rt.Interpolate", inputs, args), code, message);
  };
  refuses({x}, scaled("cubic", 2, 2), ErrorCode::kArgument, "expected nearest or bilinear, got 'cubic'");
  refuses({x}, scaled("nearest", 2, 2, true), ErrorCode::kArgument, "expected mode bilinear");
  refuses({x}, scaled("nearest", -1, 2), ErrorCode::kArgument, "got height -1");
  refuses({x}, {}, ErrorCode::kArgument, "got neither");
  refuses({x, x}, scaled("nearest", 2, 2), ErrorCode::kArgument, "got both");
  refuses({x}, scaled("nearest", 0.1F, 1), ErrorCode::kShape, "at least one pixel");
  refuses({random({2, 2, 2})}, scaled("nearest", 2, 2), ErrorCode::kShape, "expected 4 dimensions");
}

}  // namespace
}  // namespace caffe2rt
