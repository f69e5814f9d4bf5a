#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr const char* kType = "caffe2rt.BestAnchors";

// Two anchors a cell of a map of 1x2 cells, two classes each.
const at::Tensor scores = tensor({1, 4, 1, 2}, {1, 2, 3, 4, 5, 5, 4, 0});
const at::Tensor deltas = tensor({1, 8, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});

TEST(BestAnchors, AreInTheOrderOfScoresAndThenOfTheMap) {
  const auto out = run_operator_outputs(kType, {scores, deltas}, {{"anchors", 2}, {"most", 4}}, 3);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 4, 5}, {5, 8, 10, 12, 14,    // anchor 1 of the first cell,
                                              5, 9, 11, 13, 15,    // of the second cell,
                                              4, 8, 10, 12, 14,    // of the first again,
                                              4, 1, 3,  5,  7}));  // anchor 0 of the second
  EXPECT_TENSOR_EQ(out[1].to(at::kFloat), tensor({1, 4, 3}, {0, 0, 2, 0, 1, 2, 0, 0, 3, 0, 1, 1}));
  EXPECT_TENSOR_EQ(out[2].to(at::kFloat), tensor({3}, {4, 1, 2}));
}

TEST(BestAnchors, AreAsManyAsThereAre) {
  const auto out = run_operator_outputs(kType, {scores, deltas}, {{"anchors", 2}}, 3);
  EXPECT_SHAPE(out[0], {1, 8, 5});
  EXPECT_SHAPE(out[1], {1, 8, 3});
  EXPECT_SHAPE(run_operator_outputs(kType, {tensor({2, 4, 0, 3}, {}), tensor({2, 8, 0, 3}, {})},
                                    {{"anchors", 2}}, 3)[0],
               {2, 0, 5});
}

TEST(BestAnchors, OfEachImage) {
  const auto x = random({3, 6, 4, 5}), moves = random({3, 8, 4, 5});
  const Args args = {{"anchors", 2}, {"most", 7}};
  const auto all = run_operator_outputs(kType, {x, moves}, args, 3);
  for (std::int64_t n = 0; n < 3; n++) {
    const auto one = run_operator_outputs(kType, {x.narrow(0, n, 1), moves.narrow(0, n, 1)}, args, 3);
    for (size_t i : {0, 1}) EXPECT_TENSOR_EQ(all[i].narrow(0, n, 1), one[i]);
  }
}

TEST(BestAnchors, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(run_operator_outputs(kType, {scores, deltas}, {{"anchors", 3}}, 3), ErrorCode::kShape,
               "input 0 'scores': expected a multiple of 3 anchors, got 4 channels");
  EXPECT_ERROR(run_operator_outputs(kType, {scores, scores}, {{"anchors", 2}}, 3), ErrorCode::kShape,
               "input 1 'deltas'");
  EXPECT_ERROR(run_operator_outputs(kType, {scores, deltas}, {{"anchors", 2}, {"most", 0}}, 3),
               ErrorCode::kArgument, "above 0");
}

}  // namespace
}  // namespace caffe2rt
