#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x34 = [] { return tensor({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}); };

at::Tensor slice(const at::Tensor& x, const Shape& starts, const Shape& ends) {
  return run_operator("Slice", {x}, {{"starts", starts}, {"ends", ends}});
}

TEST(Slice, TakesAPartOfEachDimension) {
  EXPECT_TENSOR_EQ(slice(x34(), {1, 0}, {2, 4}), tensor({1, 4}, {4, 5, 6, 7}));
  EXPECT_TENSOR_EQ(slice(x34(), {1, 1}, {3, 3}), tensor({2, 2}, {5, 6, 9, 10}));
}

TEST(Slice, CountsNegativeIndicesFromOnePastTheEnd) {
  EXPECT_TENSOR_EQ(slice(x34(), {0, 1}, {-1, -2}), tensor({3, 2}, {1, 2, 5, 6, 9, 10}));
  EXPECT_TENSOR_EQ(slice(x34(), {0, -3}, {-1, -1}), tensor({3, 2}, {2, 3, 6, 7, 10, 11}));
}

TEST(Slice, CutsIndicesToTheDimension) {
  EXPECT_TENSOR_EQ(slice(x34(), {2, 0}, {100, 100}), tensor({1, 4}, {8, 9, 10, 11}));
  EXPECT_SHAPE(slice(x34(), {0, 9}, {3, 9}), {3, 0});
}

TEST(Slice, LeavesDimensionsWithoutNumbersWhole) {
  EXPECT_TENSOR_EQ(slice(x34(), {1}, {2}), tensor({1, 4}, {4, 5, 6, 7}));
}

TEST(Slice, TakesIndicesAsTensors) {
  EXPECT_TENSOR_EQ(run_operator("Slice", {x34(), int32_tensor({2}, {0, 3}), int32_tensor({2}, {-1, -1})}),
                   tensor({3, 1}, {3, 7, 11}));
  EXPECT_TENSOR_EQ(run_operator("Slice", {x34(), int64_tensor({1}, {2}), int64_tensor({1}, {3})}),
                   tensor({1, 4}, {8, 9, 10, 11}));
}

TEST(Slice, AgreesWithAPlainLoop) {
  const auto x = random({4, 5, 6, 7});
  const auto y = slice(x, {1, 0, 2, 3}, {3, 5, 5, 7});
  for_each_index(y, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    ASSERT_EQ(at(y, n, c, h, w), at(x, n + 1, c, h + 2, w + 3));
  });
}

TEST(Slice, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(slice(tensor({0, 4}, {}), {0, 1}, {-1, 2}), {0, 1});
  EXPECT_SHAPE(slice(tensor({0, 4}, {}), {2, 1}, {1, 2}), {0, 1});
}

TEST(Slice, RefusesWhatIsNoRange) {
  EXPECT_ERROR(slice(x34(), {0, 3}, {3, 1}), ErrorCode::kShape, "3:1 is no range of a dimension of 4");
  EXPECT_ERROR(slice(x34(), {0, -9}, {3, -1}), ErrorCode::kShape, "-9:-1 is no range of a dimension of 4");
  EXPECT_ERROR(compile_operator("Slice", {x34()}, {{"starts", {3}}, {"ends", {1}}}), ErrorCode::kShape,
               "3:1 is no range of a dimension of 3");
  EXPECT_ERROR(slice(x34(), {0, 0, 0}, {1, 1, 1}), ErrorCode::kShape, "expected at most 2 starts");
}

TEST(Slice, RefusesMissingNumbers) {
  EXPECT_ERROR(run_operator("Slice", {x34()}), ErrorCode::kArgument, "got 0 and 0 numbers");
  EXPECT_ERROR(slice(x34(), {0}, {1, 2}), ErrorCode::kArgument, "got 1 and 2 numbers");
  EXPECT_ERROR(run_operator("Slice", {x34(), int32_tensor({1}, {0})}), ErrorCode::kGraph, "got one");
}

}  // namespace
}  // namespace caffe2rt
