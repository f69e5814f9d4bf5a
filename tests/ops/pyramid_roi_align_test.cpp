#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args args = {
    {"caffe2rt.spatial_scales", {0.5F, 0.25F}}, {"pooled_h", 2}, {"pooled_w", 3}, {"aligned", 1}};

// Two levels of a pyramid of two images, with regions (image, x1, y1, x2, y2) of each.
struct Pyramid {
  at::Tensor x2 = random({2, 5, 8, 10}), x3 = random({2, 5, 4, 5});
  at::Tensor r2 = tensor({2, 5}, {0, 1, 2, 9, 12, 1, 0, 0, 19, 15}), r3 = tensor({1, 5}, {1, 3, 3, 11, 8});
};

at::Tensor pooled(const at::Tensor& x, const at::Tensor& rois, float scale) {
  return run_operator("RoIAlign", {x, rois},
                      {{"spatial_scale", scale}, {"pooled_h", 2}, {"pooled_w", 3}, {"aligned", 1}});
}

TEST(PyramidRoIAlign, IsWhatItsPartsCompute) {
  const Pyramid p;
  const auto y =
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, p.r2, p.r3, int32_tensor({3}, {2, 0, 1})}, args);
  const at::Tensor fine = pooled(p.x2, p.r2, 0.5F), coarse = pooled(p.x3, p.r3, 0.25F);
  EXPECT_SHAPE(y, {3, 5, 2, 3});
  EXPECT_TENSOR_EQ(y[0], coarse[0]);
  EXPECT_TENSOR_EQ(y[1], fine[0]);
  EXPECT_TENSOR_EQ(y[2], fine[1]);
}

TEST(PyramidRoIAlign, LevelsMayHaveNoRegions) {
  const Pyramid p;
  const at::Tensor none = tensor({0, 5}, {});
  EXPECT_TENSOR_EQ(
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, none, p.r3, int32_tensor({1}, {0})}, args),
      pooled(p.x3, p.r3, 0.25F));
  EXPECT_SHAPE(
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, none, none, int32_tensor({0}, {})}, args),
      {0, 5, 2, 3});
}

TEST(PyramidRoIAlign, RefusesWhatDoesNotFit) {
  const Pyramid p;
  EXPECT_ERROR(
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, p.r2, p.r3, int32_tensor({3}, {3, 0, 1})}, args),
      ErrorCode::kArgument, "index 3 in a batch of 3");
  EXPECT_ERROR(
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, p.r2, p.r3, int32_tensor({2}, {0, 1})}, args),
      ErrorCode::kShape, "expected (3), got (2)");
  EXPECT_ERROR(
      run_operator("caffe2rt.PyramidRoIAlign",
                   {p.x2, p.x3, p.r2, tensor({1, 5}, {2, 3, 3, 11, 8}), int32_tensor({3}, {0, 1, 2})}, args),
      ErrorCode::kArgument, "region 0 belongs to image 2, of 2");
  EXPECT_ERROR(
      run_operator("caffe2rt.PyramidRoIAlign", {p.x2, p.x3, p.r2, p.r3, int32_tensor({3}, {0, 1, 2})},
                   {{"caffe2rt.spatial_scales", {0.5F}}}),
      ErrorCode::kArgument, "expected 2 numbers, one a level, got 1");
}

}  // namespace
}  // namespace caffe2rt
