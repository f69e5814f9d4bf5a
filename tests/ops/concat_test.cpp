#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Concat, JoinsChannelsByDefault) {
  const auto out =
      run_operator_outputs("Concat", {tensor({2, 1}, {1, 2}), tensor({2, 2}, {3, 4, 5, 6})}, {}, 2);
  EXPECT_TENSOR_EQ(out[0], tensor({2, 3}, {1, 3, 4, 2, 5, 6}));
  EXPECT_TENSOR_EQ(out[1], int32_tensor({2}, {1, 2}));
}

TEST(Concat, JoinsTheLastAxisInNhwc) {
  const auto x = tensor({1, 1, 1, 2}, {1, 2});
  EXPECT_TENSOR_EQ(run_operator("Concat", {x, x}, {{"order", "NHWC"}}), tensor({1, 1, 1, 4}, {1, 2, 1, 2}));
}

TEST(Concat, CountsANegativeAxisFromTheBack) {
  EXPECT_TENSOR_EQ(run_operator("Concat", {tensor({1, 2}, {1, 2}), tensor({1, 2}, {3, 4})}, {{"axis", -2}}),
                   tensor({2, 2}, {1, 2, 3, 4}));
}

TEST(Concat, MakesANewAxis) {
  const auto x = tensor({2}, {1, 2}), y = tensor({2}, {3, 4});
  const auto out = run_operator_outputs("Concat", {x, y}, {{"axis", 1}, {"add_axis", 1}}, 2);
  EXPECT_TENSOR_EQ(out[0], tensor({2, 2}, {1, 3, 2, 4}));
  EXPECT_TENSOR_EQ(out[1], int32_tensor({2}, {1, 1}));
}

TEST(Concat, EmptyInputsAddNothing) {
  EXPECT_TENSOR_EQ(run_operator("Concat", {tensor({0, 2}, {}), tensor({1, 2}, {1, 2})}, {{"axis", 0}}),
                   tensor({1, 2}, {1, 2}));
  EXPECT_SHAPE(run_operator("Concat", {tensor({0, 2}, {}), tensor({0, 2}, {})}, {{"axis", 0}}), {0, 2});
}

TEST(Concat, RefusesOtherSizesBesideTheAxis) {
  const auto x = tensor({1, 2}, {1, 2}), y = tensor({2, 2}, {1, 2, 3, 4});
  EXPECT_ERROR(run_operator("Concat", {x, y}), ErrorCode::kShape, "input 1: expected (1,?), got (2,2)");
  EXPECT_ERROR(compile_operator("Concat", {x, y}), ErrorCode::kShape, "input 1: expected (1,?), got (2,2)");
  EXPECT_ERROR(run_operator("Concat", {x, tensor({2}, {1, 2})}, {{"axis", 0}}), ErrorCode::kShape,
               "input 1: expected (?,2), got (2)");
}

TEST(Concat, RefusesAnAxisOutsideAndTwoTypes) {
  const auto x = tensor({2}, {1, 2});
  EXPECT_ERROR(run_operator("Concat", {x, x}), ErrorCode::kArgument, "axis: expected -1 to 0, got 1");
  EXPECT_ERROR(run_operator("Concat", {x, int32_tensor({2}, {1, 2})}, {{"axis", 0}}), ErrorCode::kType,
               "expected Float, got Int");
}

TEST(Split, CutsIntoEqualPieces) {
  const auto out = run_operator_outputs("Split", {tensor({1, 4}, {1, 2, 3, 4})}, {}, 2);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 2}, {1, 2}));
  EXPECT_TENSOR_EQ(out[1], tensor({1, 2}, {3, 4}));
}

TEST(Split, TakesSizesAsArgumentOrInput) {
  const auto x = tensor({3}, {1, 2, 3});
  const auto by_argument = run_operator_outputs("Split", {x}, {{"axis", 0}, {"split", {1, 2}}}, 2);
  const auto by_input = run_operator_outputs("Split", {x, int32_tensor({2}, {1, 2})}, {{"axis", 0}}, 2);
  for (const auto& out : {by_argument, by_input}) {
    EXPECT_TENSOR_EQ(out[0], tensor({1}, {1}));
    EXPECT_TENSOR_EQ(out[1], tensor({2}, {2, 3}));
  }
}

TEST(Split, LeavesOutAnAddedAxis) {
  const auto out =
      run_operator_outputs("Split", {tensor({2, 2}, {1, 2, 3, 4})}, {{"axis", 0}, {"add_axis", 1}}, 2);
  EXPECT_TENSOR_EQ(out[1], tensor({2}, {3, 4}));
}

TEST(Split, IsUndoneByConcat) {
  const auto x = random({2, 6, 3});
  const auto pieces = run_operator_outputs("Split", {x}, {{"split", {1, 0, 5}}}, 3);
  EXPECT_TENSOR_EQ(run_operator("Concat", pieces), x);
}

TEST(Split, EmptyInputGivesEmptyPieces) {
  EXPECT_SHAPE(run_operator_outputs("Split", {tensor({0, 4}, {})}, {}, 2)[1], {0, 2});
}

TEST(Split, RefusesSizesThatDoNotAddUp) {
  const auto x = tensor({3}, {1, 2, 3});
  EXPECT_ERROR(run_operator_outputs("Split", {x}, {{"axis", 0}}, 2), ErrorCode::kShape,
               "3 cannot be split into 2 equal parts");
  EXPECT_ERROR(run_operator_outputs("Split", {x}, {{"axis", 0}, {"split", {1, 1}}}, 2), ErrorCode::kShape,
               "expected 2 sizes that add up to 3, got (1,1)");
  EXPECT_ERROR(run_operator_outputs("Split", {x}, {{"axis", 0}, {"split", {4, -1}}}, 2), ErrorCode::kShape,
               "expected 2 sizes that add up to 3");
  EXPECT_ERROR(run_operator_outputs("Split", {x}, {{"split", {3}}}, 2), ErrorCode::kArgument,
               "argument 'split': expected 2 sizes, one an output, got 1");
}

}  // namespace
}  // namespace caffe2rt
