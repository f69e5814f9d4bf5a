#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x22 = [] { return tensor({2, 2}, {1, 2, 3, 4}); };

TEST(Tile, RepeatsAlongAnAxis) {
  EXPECT_TENSOR_EQ(run_operator("Tile", {x22()}, {{"tiles", 2}, {"axis", 0}}),
                   tensor({4, 2}, {1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_TENSOR_EQ(run_operator("Tile", {x22()}, {{"tiles", 2}, {"axis", -1}}),
                   tensor({2, 4}, {1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(Tile, FedNumbersReplaceTheArguments) {
  const auto two = int32_tensor({1}, {2});
  EXPECT_SHAPE(run_operator("Tile", {x22(), two}, {{"tiles", 9}, {"axis", 1}}), {2, 4});
  EXPECT_SHAPE(run_operator("Tile", {x22(), two, int32_tensor({1}, {1})}), {2, 4});
}

TEST(Tile, NoTilesGiveNothing) {
  EXPECT_SHAPE(run_operator("Tile", {x22()}, {{"tiles", 0}, {"axis", 1}}), {2, 0});
  EXPECT_SHAPE(run_operator("Tile", {tensor({0, 2}, {})}, {{"tiles", 3}, {"axis", 1}}), {0, 6});
}

TEST(Tile, KeepsTheType) {
  EXPECT_TENSOR_EQ(run_operator("Tile", {int64_tensor({1}, {7})}, {{"tiles", 2}, {"axis", 0}}),
                   int64_tensor({2}, {7, 7}));
}

TEST(Tile, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(run_operator("Tile", {x22()}, {{"tiles", 2}}), ErrorCode::kArgument,
               "expected 'axis' as an argument or as an input, got neither");
  EXPECT_ERROR(run_operator("Tile", {x22()}, {{"tiles", 2}, {"axis", 2}}), ErrorCode::kArgument,
               "axis: expected -2 to 1, got 2");
  EXPECT_ERROR(run_operator("Tile", {x22()}, {{"tiles", -1}, {"axis", 1}}), ErrorCode::kArgument,
               "expected 0 repetitions or more, got -1");
  EXPECT_ERROR(run_operator("Tile", {x22(), int64_tensor({1}, {2})}, {{"axis", 1}}), ErrorCode::kType,
               "input 1 'tiles': expected int32, got Long");
  EXPECT_ERROR(run_operator("Tile", {x22(), int32_tensor({2}, {2, 2})}, {{"axis", 1}}), ErrorCode::kShape,
               "input 1 'tiles': expected (1), got (2)");
  EXPECT_ERROR(run_operator("Tile", {x22()}, {{"tiles", 2000000000}, {"axis", 1}}), ErrorCode::kLimit,
               "expected at most");
}

TEST(NumpyTile, RepeatsAlongEveryAxis) {
  EXPECT_TENSOR_EQ(run_operator("NumpyTile", {x22(), int64_tensor({2}, {2, 3})}),
                   tensor({4, 6}, {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}));
}

TEST(NumpyTile, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("NumpyTile", {tensor({0, 2}, {}), int32_tensor({2}, {2, 3})}), {0, 6});
}

TEST(NumpyTile, RefusesAnotherNumberOfAxes) {
  EXPECT_ERROR(run_operator("NumpyTile", {x22(), int64_tensor({1}, {2})}), ErrorCode::kShape,
               "input 1 'repeats': expected (2), got (1)");
  EXPECT_ERROR(run_operator("NumpyTile", {x22(), int64_tensor({2}, {2, -2})}), ErrorCode::kArgument,
               "expected 0 repetitions or more, got -2");
}

}  // namespace
}  // namespace caffe2rt
