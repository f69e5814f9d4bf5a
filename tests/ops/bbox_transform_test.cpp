#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args kNew = {{"legacy_plus_one", 0}};

at::Tensor images(int count, float scale = 1) {
  std::vector<float> info;
  for (int i = 0; i < count; i++)
    for (const float v : {30.0F, 40.0F, scale}) info.push_back(v);
  return tensor({count, 3}, info);
}

TEST(BBoxTransform, MovesABoxByItsDeltas) {
  const auto y = run_operator(
      "BBoxTransform", {tensor({1, 5}, {0, 0, 0, 10, 10}), tensor({1, 4}, {0.5F, 0, 0, 0}), images(1)}, kNew);
  EXPECT_TENSOR_NEAR(y, tensor({1, 4}, {5, 0, 15, 10}), 1e-6);
}

TEST(BBoxTransform, GivesEachClassABoxOfItsOwn) {
  const auto y = run_operator(
      "BBoxTransform", {tensor({1, 4}, {0, 0, 10, 10}), tensor({1, 8}, {0, 0, 0, 0, 1, 0, 0, 0}), images(1)},
      kNew);
  EXPECT_TENSOR_NEAR(y, tensor({1, 8}, {0, 0, 10, 10, 10, 0, 20, 10}), 1e-6);
}

TEST(BBoxTransform, ClipsInPixelsOfTheImageBeforeScaling) {
  const auto rois = tensor({1, 4}, {0, 0, 20, 20}), deltas = tensor({1, 4}, {0, 0, 5, 5});
  EXPECT_TENSOR_NEAR(run_operator("BBoxTransform", {rois, deltas, images(1, 2)}, kNew),
                     tensor({1, 4}, {0, 0, 40, 30}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("BBoxTransform", {rois, deltas, images(1, 2)},
                                  {{"legacy_plus_one", 0}, {"apply_scale", 0}}),
                     tensor({1, 4}, {0, 0, 20, 15}), 1e-6);
}

TEST(BBoxTransform, CountsTheRegionsOfEveryImage) {
  const auto out = run_operator_outputs(
      "BBoxTransform",
      {tensor({3, 5}, {0, 0, 0, 1, 1, 2, 0, 0, 1, 1, 2, 0, 0, 1, 1}), random({3, 4}), images(4)}, {}, 2);
  EXPECT_TENSOR_EQ(out[1], tensor({4}, {1, 0, 2, 0}));
}

TEST(BBoxTransform, TurnsRotatedBoxes) {
  const auto y = run_operator(
      "BBoxTransform",
      {tensor({1, 6}, {0, 10, 10, 4, 6, 80}), tensor({1, 5}, {0, 0, 0, 0, 0.34906584F}), images(1)},
      {{"rotated", 1}});
  EXPECT_TENSOR_NEAR(y, tensor({1, 5}, {10, 10, 4, 6, -80}), 1e-5);
}

TEST(BBoxTransform, NoRegionsGiveNoBoxesAndTheNumberOfImages) {
  const auto out =
      run_operator_outputs("BBoxTransform", {tensor({0, 5}, {}), tensor({0, 8}, {}), images(2)}, {}, 2);
  EXPECT_SHAPE(out[0], {0, 8});
  EXPECT_TENSOR_EQ(out[1], tensor({2}, {0, 0}));
}

TEST(BBoxTransform, RefusesARegionOfAnImageThatIsNotThere) {
  EXPECT_ERROR(run_operator("BBoxTransform", {tensor({1, 5}, {1, 0, 0, 1, 1}), random({1, 4}), images(1)}),
               ErrorCode::kArgument, "row 0 belongs to image 1, of 1");
}

TEST(BBoxTransform, RefusesSeveralImagesWithoutAnImageColumn) {
  EXPECT_ERROR(run_operator("BBoxTransform", {random({2, 4}), random({2, 4}), images(2)}), ErrorCode::kShape,
               "2 images");
}

TEST(BBoxTransform, RefusesShapesThatDoNotFit) {
  EXPECT_ERROR(run_operator("BBoxTransform", {random({2, 3}), random({2, 4}), images(1)}), ErrorCode::kShape,
               "expected 4 or 5 columns, got 3");
  EXPECT_ERROR(run_operator("BBoxTransform", {random({2, 4}), random({3, 4}), images(1)}), ErrorCode::kShape,
               "expected (2,?), got (3,4)");
  EXPECT_ERROR(run_operator("BBoxTransform", {random({2, 4}), random({2, 6}), images(1)}), ErrorCode::kShape,
               "a multiple of 4 columns");
}

TEST(BBoxTransform, RefusesArgumentsOutsideTheirRange) {
  const std::vector<at::Tensor> in = {random({1, 6}), random({1, 5}), images(1)};
  EXPECT_ERROR(run_operator("BBoxTransform", in, {{"weights", std::vector<float>{1, 2}}}),
               ErrorCode::kArgument, "expected 4 numbers, got 2");
  EXPECT_ERROR(run_operator("BBoxTransform", in, {{"rotated", 1}, {"angle_bound_lo", 0}}),
               ErrorCode::kArgument, "a range of 180 degrees or a multiple, got 0 to 90");
}

}  // namespace
}  // namespace caffe2rt
