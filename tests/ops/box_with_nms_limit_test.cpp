#include <ATen/ops/cat.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

enum Output { kScores, kBoxes, kClasses, kSplits, kKeeps, kKeepsSize };

const Args kArgs = {{"score_thresh", 0.05F}, {"nms", 0.5F}, {"detections_per_im", 10}};

Args with(Args more) {
  more.insert(more.end(), kArgs.begin(), kArgs.end());
  return more;
}

// Four boxes, of which the first two and the last two overlap.
const at::Tensor& boxes() {
  static const at::Tensor t = tensor({4, 4}, {0, 0, 10, 10, 0, 0, 9, 10, 20, 20, 30, 30, 20, 20, 30, 31});
  return t;
}
const at::Tensor& scores() {
  static const at::Tensor t =
      tensor({4, 3}, {0.1F, 0.9F, 0.2F, 0.1F, 0.8F, 0.7F, 0.1F, 0.3F, 0.6F, 0.2F, 0.5F, 0.5F});
  return t;
}
at::Tensor for_classes(int count) { return at::cat(std::vector<at::Tensor>(count, boxes()), 1); }

std::vector<at::Tensor> detect(const std::vector<at::Tensor>& in, const Args& args = kArgs) {
  return run_operator_outputs("BoxWithNMSLimit", in, args, 6);
}

TEST(BoxWithNMSLimit, KeepsTheBestOfEveryClass) {
  const auto out = detect({scores(), for_classes(3)});
  EXPECT_TENSOR_EQ(out[kScores], tensor({4}, {0.9F, 0.5F, 0.7F, 0.6F}));
  EXPECT_TENSOR_EQ(out[kBoxes], tensor({4, 4}, {0, 0, 10, 10, 20, 20, 30, 31, 0, 0, 9, 10, 20, 20, 30, 30}));
  EXPECT_TENSOR_EQ(out[kClasses], tensor({4}, {1, 1, 2, 2}));
  EXPECT_TENSOR_EQ(out[kSplits], tensor({1}, {4}));
  EXPECT_TENSOR_EQ(out[kKeeps], int32_tensor({4}, {0, 3, 1, 2}));
  EXPECT_TENSOR_EQ(out[kKeepsSize], int32_tensor({1, 3}, {0, 2, 2}));
}

TEST(BoxWithNMSLimit, LimitsTheDetectionsOfAllClassesTogether) {
  const auto out = detect({scores(), for_classes(3)}, {{"nms", 0.5F}, {"detections_per_im", 3}});
  EXPECT_TENSOR_EQ(out[kScores], tensor({3}, {0.9F, 0.7F, 0.6F}));
}

TEST(BoxWithNMSLimit, ImagesAreIndependentAndMayBeEmpty) {
  const auto out = detect({scores(), for_classes(3), tensor({3}, {2, 0, 2})});
  EXPECT_TENSOR_EQ(out[kScores], tensor({4}, {0.9F, 0.7F, 0.5F, 0.6F}));
  EXPECT_TENSOR_EQ(out[kSplits], tensor({3}, {2, 0, 2}));
  EXPECT_TENSOR_EQ(out[kKeeps], int32_tensor({4}, {0, 1, 1, 0}));
  EXPECT_TENSOR_EQ(out[kKeepsSize], int32_tensor({3, 3}, {0, 1, 1, 0, 0, 0, 0, 1, 1}));
}

TEST(BoxWithNMSLimit, WithoutBackgroundScoresBeginWithTheFirstClass) {
  const auto out = detect({scores(), for_classes(2)},
                          with({{"input_boxes_include_bg_cls", 0}, {"output_classes_include_bg_cls", 0}}));
  EXPECT_TENSOR_EQ(out[kScores], tensor({4}, {0.2F, 0.1F, 0.9F, 0.5F}));
  EXPECT_TENSOR_EQ(out[kClasses], tensor({4}, {0, 0, 1, 1}));
}

TEST(BoxWithNMSLimit, AgnosticClassesShareABox) {
  EXPECT_TENSOR_EQ(detect({scores(), boxes()}, with({{"cls_agnostic_bbox_reg", 1}}))[kScores],
                   detect({scores(), for_classes(3)})[kScores]);
}

TEST(BoxWithNMSLimit, SoftNmsReturnsLoweredScores) {
  const auto s = tensor({2, 2}, {0, 0.9F, 0, 0.8F}),
             b = tensor({2, 8}, {0, 0, 0, 0, 0, 0, 10, 10, 0, 0, 0, 0, 0, 0, 6, 10});
  const auto out = detect({s, b}, with({{"soft_nms_enabled", 1}, {"legacy_plus_one", 0}}));
  EXPECT_TENSOR_NEAR(out[kScores], tensor({2}, {0.9F, 0.8F * 0.4F}), 1e-6);
}

TEST(BoxWithNMSLimit, TakesRotatedBoxes) {
  const auto b = tensor({2, 10}, {0, 0, 0, 0, 0, 5, 5, 4, 2, 90, 0, 0, 0, 0, 0, 5, 5, 2, 4, 0});
  const auto out = detect({tensor({2, 2}, {0, 0.6F, 0, 0.8F}), b}, with({{"rotated", 1}}));
  EXPECT_TENSOR_EQ(out[kBoxes], tensor({1, 5}, {5, 5, 2, 4, 0}));
}

TEST(BoxWithNMSLimit, TakesMatricesAsAConvolutionLeavesThem) {
  EXPECT_TENSOR_EQ(detect({scores().view({4, 3, 1, 1}), for_classes(3).view({4, 12, 1, 1})})[kBoxes],
                   detect({scores(), for_classes(3)})[kBoxes]);
}

TEST(BoxWithNMSLimit, ScoresThatAreNotNumbersAreNotDetected) {
  EXPECT_SHAPE(detect({tensor({1, 2}, {0, NAN}), tensor({1, 8}, {0, 0, 1, 1, 0, 0, 1, 1})})[kScores], {0});
}

TEST(BoxWithNMSLimit, NoBoxesGiveNoDetectionsOfEveryImage) {
  const auto out = detect({tensor({0, 3}, {}), tensor({0, 12}, {}), tensor({2}, {0, 0})});
  EXPECT_SHAPE(out[kScores], {0});
  EXPECT_SHAPE(out[kBoxes], {0, 4});
  EXPECT_TENSOR_EQ(out[kSplits], tensor({2}, {0, 0}));
  EXPECT_SHAPE(out[kKeepsSize], {2, 3});
}

TEST(BoxWithNMSLimit, ThreeOutputsAreEnough) {
  EXPECT_EQ(run_operator_outputs("BoxWithNMSLimit", {scores(), for_classes(3)}, kArgs, 3).size(), 3U);
}

TEST(BoxWithNMSLimit, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(detect({scores(), for_classes(2)}), ErrorCode::kShape, "expected (4,12), got (4,8)");
  EXPECT_ERROR(detect({scores(), for_classes(3), tensor({2}, {2, 1})}), ErrorCode::kArgument,
               "expected a sum of 4, got 3");
  EXPECT_ERROR(detect({scores(), for_classes(3), tensor({2}, {-1, 5})}), ErrorCode::kArgument,
               "an image of -1 boxes");
  EXPECT_ERROR(detect({scores(), for_classes(3)}, {{"soft_nms_method", "hard"}}), ErrorCode::kArgument,
               "'hard'");
}

}  // namespace
}  // namespace caffe2rt
