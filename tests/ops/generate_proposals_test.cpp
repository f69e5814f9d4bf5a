#include <ATen/ops/cat.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/index.h>
#include <ATen/ops/logical_not.h>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Args kArgs = {
    {"spatial_scale", 0.0625F}, {"nms_thresh", 0.5F}, {"min_size", 0.0F}, {"legacy_plus_one", 0}};

Args with(Args more) {
  more.insert(more.end(), kArgs.begin(), kArgs.end());
  return more;
}

const at::Tensor& info() {
  static const at::Tensor t = tensor({1, 3}, {40, 40, 1});
  return t;
}
const at::Tensor& anchor() {
  static const at::Tensor t = tensor({1, 4}, {-8, -8, 8, 8});
  return t;
}
at::Tensor no_deltas(const Shape& shape) { return random(shape).zero_(); }

std::vector<at::Tensor> propose(const std::vector<at::Tensor>& in, const Args& args = kArgs) {
  return run_operator_outputs("GenerateProposals", in, args, 2);
}

TEST(GenerateProposals, SortsAndClipsTheShiftedAnchors) {
  const auto out =
      propose({tensor({1, 1, 2, 2}, {0.1F, 0.2F, 0.4F, 0.3F}), no_deltas({1, 4, 2, 2}), info(), anchor()});
  EXPECT_TENSOR_EQ(out[0], tensor({4, 5}, {0, 0, 8, 8, 24, 0, 8, 8, 24, 24, 0, 8, 0, 24, 8, 0, 0, 0, 8, 8}));
  EXPECT_TENSOR_EQ(out[1], tensor({4}, {0.4F, 0.3F, 0.2F, 0.1F}));
}

TEST(GenerateProposals, ReadsDeltasInAnyMemoryLayout) {
  const auto scores = random({1, 2, 3, 5}), deltas = random({1, 8, 3, 5});
  const auto anchors = tensor({2, 4}, {-8, -8, 8, 8, -4, -16, 4, 16});
  const auto a = propose({scores, deltas, info(), anchors});
  const auto b = propose({scores.contiguous(at::MemoryFormat::ChannelsLast),
                          deltas.contiguous(at::MemoryFormat::ChannelsLast), info(), anchors});
  EXPECT_TENSOR_EQ(a[0], b[0]);
  EXPECT_TENSOR_EQ(a[1], b[1]);
}

TEST(GenerateProposals, DropsOverlapsAndKeepsTheBest) {
  const auto anchors = tensor({2, 4}, {-8, -8, 8, 8, -8, -8, 8, 9});
  const auto scores = tensor({1, 2, 1, 1}, {0.4F, 0.6F});
  const auto out = propose({scores, no_deltas({1, 8, 1, 1}), info(), anchors});
  EXPECT_TENSOR_EQ(out[0], tensor({1, 5}, {0, 0, 0, 8, 9}));
}

TEST(GenerateProposals, LimitsBeforeAndAfterSuppression) {
  const auto scores = tensor({1, 1, 1, 3}, {0.1F, 0.3F, 0.2F}), deltas = no_deltas({1, 4, 1, 3});
  EXPECT_SHAPE(propose({scores, deltas, info(), anchor()}, with({{"pre_nms_topN", 2}}))[0], {2, 5});
  EXPECT_SHAPE(propose({scores, deltas, info(), anchor()}, with({{"post_nms_topN", 1}}))[0], {1, 5});
  EXPECT_SHAPE(
      propose({scores, deltas, info(), anchor()}, with({{"pre_nms_topN", 0}, {"post_nms_topN", 0}}))[0],
      {3, 5});
}

TEST(GenerateProposals, MinSizeIsInPixelsBeforeScaling) {
  const std::vector<at::Tensor> in = {tensor({1, 1, 1, 1}, {1}), no_deltas({1, 4, 1, 1}),
                                      tensor({1, 3}, {40, 40, 2}), anchor()};
  const Args at_most = {{"spatial_scale", 0.0625F}, {"legacy_plus_one", 0}, {"min_size", 4.0F}};
  const Args above = {{"spatial_scale", 0.0625F}, {"legacy_plus_one", 0}, {"min_size", 4.1F}};
  EXPECT_SHAPE(propose(in, at_most)[0], {1, 5});
  EXPECT_SHAPE(propose(in, above)[0], {0, 5});
}

TEST(GenerateProposals, EveryImageGetsWhatItGetsAlone) {
  const auto scores = random({2, 3, 4, 5}), deltas = random({2, 12, 4, 5}), anchors = random({3, 4}).mul_(20);
  anchors.slice(1, 2, 4).add_(30);
  const auto infos = tensor({2, 3}, {60, 80, 1, 50, 70, 2});
  const auto both = propose({scores, deltas, infos, anchors});
  const auto first = propose({scores.slice(0, 0, 1), deltas.slice(0, 0, 1), infos.slice(0, 0, 1), anchors});
  const auto second = propose({scores.slice(0, 1, 2), deltas.slice(0, 1, 2), infos.slice(0, 1, 2), anchors});
  const auto is_first = both[0].select(1, 0).eq(0);
  EXPECT_TENSOR_EQ(both[0].index({is_first}), first[0]);
  EXPECT_TENSOR_EQ(both[0].index({is_first.logical_not()}).slice(1, 1), second[0].slice(1, 1));
  EXPECT_TENSOR_EQ(both[1], at::cat({first[1], second[1]}));
}

TEST(GenerateProposals, TakesRotatedAnchors) {
  const auto out = propose(
      {tensor({1, 1, 1, 1}, {1}), no_deltas({1, 5, 1, 1}), info(), tensor({1, 5}, {20, 20, 8, 6, 30})});
  EXPECT_TENSOR_EQ(out[0], tensor({1, 6}, {0, 20, 20, 8, 6, 30}));
}

TEST(GenerateProposals, OldNameDoesTheSame) {
  const std::vector<at::Tensor> in = {random({1, 1, 4, 4}), random({1, 4, 4, 4}), info(), anchor()};
  EXPECT_TENSOR_EQ(run_operator_outputs("GenerateProposalsCPP", in, kArgs, 2)[0], propose(in)[0]);
}

TEST(GenerateProposals, OwnTakesItsStridesFromTheInput) {
  const auto scores = tensor({1, 1, 2, 3}, {0.6F, 0.5F, 0.4F, 0.3F, 0.2F, 0.1F}),
             deltas = no_deltas({1, 4, 2, 3});
  const auto own = [&](const at::Tensor& data) {
    return run_operator_outputs("caffe2rt.GenerateProposals",
                                {scores, deltas, info(), tensor({1, 4}, {0, 0, 4, 4}), data}, kArgs, 2)[0];
  };
  // 33 rows over 2 places: 16 apart; 32 columns over 3: 10.
  EXPECT_TENSOR_EQ(own(random({1, 3, 33, 32})),
                   tensor({6, 5}, {0, 0, 0,  4, 4,  0, 10, 0,  14, 4,  0, 20, 0,  24, 4,
                                   0, 0, 16, 4, 20, 0, 10, 16, 14, 20, 0, 20, 16, 24, 20}));
  EXPECT_ERROR(own(random({2, 3, 33, 32})), ErrorCode::kShape, "got (2,3,33,32)");
}

TEST(GenerateProposals, OwnWithoutMoreDoesTheSame) {
  const std::vector<at::Tensor> in = {random({1, 1, 4, 4}), random({1, 4, 4, 4}), info(), anchor()};
  EXPECT_TENSOR_EQ(run_operator_outputs("caffe2rt.GenerateProposals", in, kArgs, 2)[0], propose(in)[0]);
}

TEST(GenerateProposals, OwnLeavesOutLowScores) {
  const std::vector<at::Tensor> in = {tensor({1, 1, 1, 3}, {0.1F, 0.3F, 0.2F}), no_deltas({1, 4, 1, 3}),
                                      info(), anchor()};
  const auto out = run_operator_outputs("caffe2rt.GenerateProposals", in, with({{"score_thresh", 0.2F}}), 2);
  EXPECT_TENSOR_EQ(out[1], tensor({2}, {0.3F, 0.2F}));
}

TEST(GenerateProposals, ScoresThatAreNotNumbersComeLast) {
  const auto out =
      propose({tensor({1, 1, 1, 3}, {NAN, 0.3F, NAN}), no_deltas({1, 4, 1, 3}), info(), anchor()});
  EXPECT_EQ(at(out[1], 0), 0.3F);
}

TEST(GenerateProposals, NoPlacesAndNoImagesGiveNoProposals) {
  EXPECT_SHAPE(propose({tensor({1, 1, 0, 2}, {}), tensor({1, 4, 0, 2}, {}), info(), anchor()})[0], {0, 5});
  EXPECT_SHAPE(propose({tensor({0, 1, 2, 2}, {}), tensor({0, 4, 2, 2}, {}), tensor({0, 3}, {}), anchor()})[0],
               {0, 5});
}

TEST(GenerateProposals, RefusesShapesThatDoNotFit) {
  const auto scores = random({1, 1, 2, 2});
  EXPECT_ERROR(propose({scores, random({1, 4, 2, 2}), info(), random({1, 3})}), ErrorCode::kShape,
               "expected 4 columns, or 5 for rotated boxes, got 3");
  EXPECT_ERROR(propose({scores, random({1, 5, 2, 2}), info(), anchor()}), ErrorCode::kShape,
               "expected (1,4,2,2), got (1,5,2,2)");
  EXPECT_ERROR(propose({scores, random({1, 4, 2, 2}), random({2, 3}), anchor()}), ErrorCode::kShape,
               "expected (1,3), got (2,3)");
  EXPECT_ERROR(
      compile_operator("GenerateProposals", {random({1, 2, 2, 2}), random({1, 4, 2, 2}), info(), anchor()}),
      ErrorCode::kGraph, "outputs");
}

}  // namespace
}  // namespace caffe2rt
