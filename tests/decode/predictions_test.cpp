#include "decode/predictions.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Detections frame_of(int width, int height) {
  Detections seen;
  seen.width = width;
  seen.height = height;
  return seen;
}

TEST(Predictions, AnEmptyFrameHasEmptyArrays) {
  const NamedTensors arrays = predictions(frame_of(4, 3));
  ASSERT_EQ(arrays.size(), 3);
  EXPECT_EQ(arrays.at("boxes").sizes(), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(arrays.at("scores").numel(), 0);
  EXPECT_EQ(arrays.at("classes").scalar_type(), at::kLong);
}

TEST(Predictions, NameWhatIsThere) {
  Detections seen = frame_of(4, 2);
  seen.objects.push_back({.box = {1, 0, 3, 2}, .score = 0.5F, .class_id = 7, .keypoints = {{1, 2, 0.25F}}});
  seen.masks = {1, {1.0F}};
  seen.semantic = LabelMap{4, 2, {0, 1, 2, 3, 4, 5, 6, 7}};
  const NamedTensors arrays = predictions(seen);
  EXPECT_TENSOR_EQ(arrays.at("boxes"), tensor({1, 4}, {1, 0, 3, 2}));
  EXPECT_TENSOR_EQ(arrays.at("classes").to(at::kFloat), tensor({1}, {7}));
  EXPECT_TENSOR_EQ(arrays.at("keypoints"), tensor({1, 1, 3}, {1, 2, 0.25F}));
  EXPECT_TENSOR_EQ(arrays.at("masks").to(at::kFloat), tensor({1, 2, 4}, {0, 1, 1, 0, 0, 1, 1, 0}));
  EXPECT_TENSOR_EQ(arrays.at("sem_seg_argmax").to(at::kFloat), tensor({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_FALSE(arrays.contains("panoptic"));
}

TEST(Predictions, RotatedBoxesHaveFiveNumbers) {
  Detections seen = frame_of(4, 2);
  seen.objects.push_back({.box = {0, 0, 4, 2}, .rotated = RotatedBox{2, 1, 3, 1, 30}});
  EXPECT_TENSOR_EQ(predictions(seen).at("boxes"), tensor({1, 5}, {2, 1, 3, 1, 30}));
}

}  // namespace
}  // namespace caffe2rt
