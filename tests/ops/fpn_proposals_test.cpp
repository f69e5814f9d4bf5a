#include <ATen/ops/cat.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args kTwoLevels = {{"rpn_min_level", 2}, {"rpn_max_level", 3}, {"rpn_post_nms_topN", 2}};

// Rows of (image, v, v, v, v).
at::Tensor rois(const std::vector<std::pair<float, float>>& rows) {
  std::vector<float> values;
  for (const auto& [image, v] : rows)
    for (const float value : {image, v, v, v, v}) values.push_back(value);
  return tensor({static_cast<int64_t>(rows.size()), 5}, values);
}

at::Tensor square(float size) { return tensor({1, 5}, {0, 0, 0, size, size}); }

TEST(CollectRpnProposals, KeepsTheBestOfAllLevels) {
  const auto out = run_operator(
      "CollectRpnProposals",
      {rois({{0, 1}, {0, 2}}), rois({{0, 3}, {0, 4}}), tensor({2}, {0.9F, 0.1F}), tensor({2}, {0.3F, 0.95F})},
      kTwoLevels);
  EXPECT_TENSOR_EQ(out, rois({{0, 4}, {0, 1}}));
}

TEST(CollectRpnProposals, EqualScoresStayInTheirOrder) {
  const auto out = run_operator(
      "CollectRpnProposals",
      {rois({{0, 1}, {0, 2}}), rois({{0, 3}}), tensor({2}, {0.5F, 0.5F}), tensor({1}, {0.5F})}, kTwoLevels);
  EXPECT_TENSOR_EQ(out, rois({{0, 1}, {0, 2}}));
}

TEST(CollectRpnProposals, EveryImageKeepsItsOwnBestInOrder) {
  const auto out = run_operator("CollectRpnProposals",
                                {rois({{0, 1}, {0, 2}, {3, 3}}), rois({{0, 4}, {3, 5}, {3, 6}}),
                                 tensor({3}, {0.1F, 0.2F, 0.9F}), tensor({3}, {0.3F, 0.8F, 0.95F})},
                                kTwoLevels);
  EXPECT_TENSOR_EQ(out, rois({{0, 4}, {0, 2}, {3, 6}, {3, 3}}));
}

TEST(CollectRpnProposals, NoLimitKeepsAll) {
  const auto out = run_operator("CollectRpnProposals",
                                {rois({{0, 1}}), rois({{0, 2}}), tensor({1}, {1}), tensor({1}, {2})},
                                {{"rpn_min_level", 2}, {"rpn_max_level", 3}, {"rpn_post_nms_topN", 0}});
  EXPECT_TENSOR_EQ(out, rois({{0, 2}, {0, 1}}));
}

TEST(CollectRpnProposals, NoProposalsGiveNone) {
  const auto out =
      run_operator("CollectRpnProposals", {rois({}), rois({}), tensor({0}, {}), tensor({0}, {})}, kTwoLevels);
  EXPECT_SHAPE(out, {0, 5});
}

TEST(CollectRpnProposals, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(run_operator("CollectRpnProposals", {rois({}), tensor({0}, {})}, kTwoLevels),
               ErrorCode::kGraph, "expected 4 inputs, rois and scores of 2 levels, got 2");
  EXPECT_ERROR(run_operator("CollectRpnProposals", {rois({}), rois({}), tensor({1}, {1}), tensor({0}, {})},
                            kTwoLevels),
               ErrorCode::kShape, "expected (0), got (1)");
  EXPECT_ERROR(run_operator("CollectRpnProposals",
                            {random({1, 6}), rois({}), tensor({1}, {1}), tensor({0}, {})}, kTwoLevels),
               ErrorCode::kShape, "expected (?,5), got (1,6)");
  EXPECT_ERROR(run_operator("CollectRpnProposals",
                            {rois({{NAN, 1}}), rois({}), tensor({1}, {1}), tensor({0}, {})}, kTwoLevels),
               ErrorCode::kArgument, "row 0 belongs to image nan");
}

TEST(DistributeFpnProposals, SendsBoxesToTheLevelOfTheirSize) {
  const auto all = at::cat({square(224), square(20), square(112), square(448), square(5000), square(223)});
  const auto out = run_operator_outputs("DistributeFpnProposals", {all}, {{"legacy_plus_one", 0}}, 5);
  EXPECT_TENSOR_EQ(out[0], square(20));
  EXPECT_TENSOR_EQ(out[1], at::cat({square(112), square(223)}));
  EXPECT_TENSOR_EQ(out[2], square(224));
  EXPECT_TENSOR_EQ(out[3], at::cat({square(448), square(5000)}));
  EXPECT_TENSOR_EQ(out[4], int32_tensor({6}, {3, 0, 1, 4, 5, 2}));
}

TEST(DistributeFpnProposals, LegacyBoxesAreAPixelLarger) {
  EXPECT_SHAPE(run_operator_outputs("DistributeFpnProposals", {square(223)}, {}, 5)[2], {1, 5});
}

TEST(DistributeFpnProposals, BatchPermutationUndoesIt) {
  const auto all = at::cat({square(300), square(20), square(112), square(448), square(224)});
  const auto out = run_operator_outputs("DistributeFpnProposals", {all}, {}, 5);
  EXPECT_TENSOR_EQ(run_operator("BatchPermutation", {at::cat({out[0], out[1], out[2], out[3]}), out[4]}),
                   all);
}

TEST(DistributeFpnProposals, BoxesWithoutAnImageBelongToTheFirst) {
  const auto out = run_operator_outputs("DistributeFpnProposals", {tensor({1, 4}, {1, 2, 3, 4})}, {}, 5);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 5}, {0, 1, 2, 3, 4}));
}

TEST(DistributeFpnProposals, NoBoxesGiveEmptyLevels) {
  const auto out = run_operator_outputs("DistributeFpnProposals", {rois({})}, {}, 5);
  for (int level = 0; level < 4; level++) EXPECT_SHAPE(out[level], {0, 5});
  EXPECT_TENSOR_EQ(out[4], int32_tensor({0}, {}));
}

TEST(DistributeFpnProposals, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(run_operator_outputs("DistributeFpnProposals", {rois({})}, {}, 4), ErrorCode::kGraph,
               "expected 5 outputs for 4 levels and the order, got 4");
  EXPECT_ERROR(run_operator_outputs("DistributeFpnProposals", {random({2, 6})}, {}, 5), ErrorCode::kShape,
               "got 6");
  EXPECT_ERROR(run_operator_outputs("DistributeFpnProposals", {rois({})}, {{"roi_min_level", 6}}, 5),
               ErrorCode::kArgument, "'roi_min_level'");
}

TEST(CollectAndDistributeFpnRpnProposals, DoesBoth) {
  const auto small = square(20), large = square(448);
  const auto out =
      run_operator_outputs("CollectAndDistributeFpnRpnProposals",
                           {small, large, tensor({1}, {0.5F}), tensor({1}, {0.9F})}, kTwoLevels, 6);
  EXPECT_TENSOR_EQ(out[0], at::cat({large, small}));
  EXPECT_TENSOR_EQ(out[1], small);
  EXPECT_TENSOR_EQ(out[4], large);
  EXPECT_TENSOR_EQ(out[5], int32_tensor({2}, {1, 0}));
}

TEST(RotatedFpnProposals, AreCollectedByScore) {
  const auto out = run_operator(
      "caffe2rt.CollectRotatedRpnProposals",
      {tensor({1, 6}, {0, 1, 2, 3, 4, 50}), tensor({2, 6}, {0, 9, 9, 9, 9, 9, 0, 5, 6, 7, 8, -90}),
       tensor({1}, {0.5F}), tensor({2}, {0.1F, 0.9F})},
      kTwoLevels);
  EXPECT_TENSOR_EQ(out, tensor({2, 6}, {0, 5, 6, 7, 8, -90, 0, 1, 2, 3, 4, 50}));
}

TEST(RotatedFpnProposals, AreDistributedBySizeWhateverTheirAngle) {
  const auto rois = tensor({3, 6}, {0, 0, 0, 500, 500, 45, 0, 7, 7, 20, 20, 30, 0, 0, 0, 224, 224, 0});
  const auto out = run_operator_outputs("caffe2rt.DistributeRotatedFpnProposals", {rois},
                                        {{"roi_min_level", 3}, {"roi_max_level", 5}}, 4);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 6}, {0, 7, 7, 20, 20, 30}));
  EXPECT_TENSOR_EQ(out[1], tensor({1, 6}, {0, 0, 0, 224, 224, 0}));
  EXPECT_TENSOR_EQ(out[2], tensor({1, 6}, {0, 0, 0, 500, 500, 45}));
  EXPECT_TENSOR_EQ(out[3], int32_tensor({3}, {2, 0, 1}));
}

TEST(RotatedFpnProposals, UprightOnesAreRefused) {
  EXPECT_ERROR(
      run_operator_outputs("caffe2rt.DistributeRotatedFpnProposals", {tensor({1, 4}, {0, 0, 1, 1})}, {}, 5),
      ErrorCode::kShape, "expected 6 columns, or 5 without the image, got 4");
}

}  // namespace
}  // namespace caffe2rt
