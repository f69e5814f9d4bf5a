#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x23 = [] { return tensor({2, 3}, {0, 1, 2, 3, 4, 5}); };

TEST(Gather, LooksUpSlices) {
  EXPECT_TENSOR_EQ(run_operator("Gather", {x23(), int32_tensor({3}, {1, 0, 1})}),
                   tensor({3, 3}, {3, 4, 5, 0, 1, 2, 3, 4, 5}));
  EXPECT_TENSOR_EQ(run_operator("Gather", {x23(), int64_tensor({1, 2}, {2, 0})}, {{"axis", 1}}),
                   tensor({2, 1, 2}, {2, 0, 5, 3}));
}

TEST(Gather, ANumberTakesTheAxisAway) {
  EXPECT_TENSOR_EQ(run_operator("Gather", {x23(), int32_tensor({}, {1})}), tensor({3}, {3, 4, 5}));
}

TEST(Gather, NegativeIndicesCountFromTheBackOnAxisZero) {
  const auto last = int32_tensor({1}, {-1});
  EXPECT_TENSOR_EQ(run_operator("Gather", {x23(), last}), tensor({1, 3}, {3, 4, 5}));
  EXPECT_TENSOR_EQ(run_operator("Gather", {x23(), last}, {{"axis", 1}, {"wrap_indices", 1}}),
                   tensor({2, 1}, {2, 5}));
  EXPECT_ERROR(run_operator("Gather", {x23(), last}, {{"axis", 1}}), ErrorCode::kArgument,
               "input 1 'INDICES': expected 0 to 2, got -1");
  EXPECT_ERROR(run_operator("Gather", {x23(), last}, {{"wrap_indices", 0}}), ErrorCode::kArgument,
               "expected 0 to 1, got -1");
}

TEST(Gather, MatchOuterLooksUpRowByRow) {
  EXPECT_TENSOR_EQ(
      run_operator("Gather", {x23(), int64_tensor({2, 2}, {1, 0, 0, 2})}, {{"axis", 1}, {"match_outer", 1}}),
      tensor({2, 2}, {1, 0, 3, 5}));
}

TEST(Gather, MatchOuterAgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5});
  const auto indices = int64_tensor({2, 3, 2}, {0, 3, 1, 1, 2, 0, 3, 3, 0, 1, 2, 2});
  const auto y = run_operator("Gather", {x, indices}, {{"axis", 2}, {"match_outer", 1}});
  EXPECT_SHAPE(y, {2, 3, 2, 5});
  for_each_index(y, [&](int64_t n, int64_t c, int64_t i, int64_t w) {
    ASSERT_EQ(at(y, n, c, i, w), at(x, n, c, indices[n][c][i].item<int64_t>(), w));
  });
}

TEST(BatchGather, LooksUpColumns) {
  EXPECT_TENSOR_EQ(run_operator("BatchGather", {x23(), int64_tensor({2}, {2, 0})}),
                   tensor({2, 2}, {2, 0, 5, 3}));
  EXPECT_TENSOR_EQ(run_operator("BatchGather", {x23(), int64_tensor({2}, {1, 0})}, {{"match_outer", 1}}),
                   tensor({2}, {1, 3}));
}

TEST(Gather, TakesAnyType) {
  EXPECT_TENSOR_EQ(run_operator("Gather", {int64_tensor({2}, {7, 8}), int32_tensor({1}, {1})}),
                   int64_tensor({1}, {8}));
}

TEST(Gather, AnEmptyAxisGivesTheData) {
  EXPECT_SHAPE(run_operator("Gather", {tensor({0, 3}, {}), int32_tensor({2}, {0, 1})}), {0, 3});
  EXPECT_SHAPE(run_operator("Gather", {x23(), int32_tensor({0}, {})}), {0, 3});
  EXPECT_SHAPE(run_operator("Gather", {tensor({0, 3}, {}), int32_tensor({0, 2}, {})},
                            {{"axis", 1}, {"match_outer", 1}}),
               {0, 2});
}

TEST(Gather, RefusesIndicesOutside) {
  EXPECT_ERROR(run_operator("Gather", {x23(), int32_tensor({1}, {2})}), ErrorCode::kArgument,
               "input 1 'INDICES': expected -2 to 1, got 2");
  EXPECT_ERROR(run_operator("BatchGather", {x23(), int32_tensor({1}, {3})}), ErrorCode::kArgument,
               "expected 0 to 2, got 3");
}

TEST(Gather, RefusesShapesThatDoNotFit) {
  const auto one = int32_tensor({1}, {0});
  EXPECT_ERROR(run_operator("Gather", {x23(), one}, {{"axis", 2}}), ErrorCode::kArgument,
               "axis: expected -2 to 1, got 2");
  EXPECT_ERROR(run_operator("BatchGather", {random({3}), one}), ErrorCode::kArgument,
               "axis: expected -1 to 0, got 1");
  EXPECT_ERROR(run_operator("Gather", {x23(), one}, {{"match_outer", 1}}), ErrorCode::kArgument,
               "axis: expected 1 or more with match_outer, got 0");
  EXPECT_ERROR(compile_operator("BatchGather", {x23(), one}, {{"match_outer", 1}}), ErrorCode::kShape,
               "input 1 'INDICES': expected the first 1 dimensions of DATA (2,3), got (1)");
}

}  // namespace
}  // namespace caffe2rt
