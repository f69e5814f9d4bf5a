#include <limits>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x23 = [] { return tensor({2, 3}, {1, 2, 6, -1, 5, 5}); };

TEST(Reduce, RowsReduceOverTheGivenAxes) {
  const Args last = {{"axes", {1}}, {"keepdims", 0}};
  EXPECT_TENSOR_EQ(run_operator("ReduceMean", {x23()}, last), tensor({2}, {3, 3}));
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {x23()}, last), tensor({2}, {9, 9}));
  EXPECT_TENSOR_EQ(run_operator("ReduceMax", {x23()}, last), tensor({2}, {6, 5}));
  EXPECT_TENSOR_EQ(run_operator("ReduceMin", {x23()}, last), tensor({2}, {1, -1}));
  EXPECT_TENSOR_EQ(run_operator("ReduceL1", {x23()}, last), tensor({2}, {9, 11}));
  EXPECT_TENSOR_NEAR(run_operator("ReduceL2", {tensor({1, 2}, {3, -4})}, last), tensor({1}, {5}), 1e-6);
}

TEST(Reduce, OfAScalarIsItsFunction) {
  EXPECT_TENSOR_EQ(run_operator("ReduceL1", {tensor({}, {-3})}), tensor({}, {3}));
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {tensor({}, {-3})}), tensor({}, {-3}));
}

TEST(Reduce, KeepsTheDimensionsByDefault) {
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {x23()}, {{"axes", {0}}}), tensor({1, 3}, {0, 7, 11}));
}

TEST(Reduce, ReducesEverythingByDefault) {
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {x23()}), tensor({1, 1}, {18}));
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {x23()}, {{"keepdims", 0}}), tensor({}, {18}));
}

TEST(Reduce, TakesAxesFromTheBackAndTwice) {
  EXPECT_TENSOR_EQ(run_operator("ReduceMax", {x23()}, {{"axes", {-1, 1}}}), tensor({2, 1}, {6, 5}));
}

TEST(Reduce, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5});
  const auto y = run_operator("ReduceMean", {x}, {{"axes", {3, 1}}, {"keepdims", 0}});
  auto sums = tensor({2, 4}, std::vector<float>(8));
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    sums.data_ptr<float>()[n * 4 + h] += at(x, n, c, h, w) / 15;
  });
  EXPECT_TENSOR_NEAR(y, sums, 1e-6);
}

TEST(Reduce, KeepsIntegersIntegers) {
  EXPECT_TENSOR_EQ(run_operator("ReduceSum", {int32_tensor({2}, {3, 4})}), int32_tensor({1}, {7}));
  EXPECT_TENSOR_EQ(run_operator("ReduceMax", {int64_tensor({2}, {3, 4})}), int64_tensor({1}, {4}));
}

TEST(Reduce, OfNothingIsTheNeutralNumber) {
  const auto empty = tensor({0, 2}, {});
  const float most = std::numeric_limits<float>::max();
  const Args rows = {{"axes", {0}}, {"keepdims", 0}};
  EXPECT_TENSOR_EQ(run_operator("ReduceMean", {empty}, rows), tensor({2}, {0, 0}));
  EXPECT_TENSOR_EQ(run_operator("ReduceMax", {empty}, rows), tensor({2}, {-most, -most}));
  EXPECT_TENSOR_EQ(run_operator("ReduceMin", {empty}, rows), tensor({2}, {most, most}));
  EXPECT_TENSOR_EQ(run_operator("ReduceL1", {empty}, rows), tensor({2}, {0, 0}));
  EXPECT_TENSOR_EQ(run_operator("ReduceL2", {empty}, rows), tensor({2}, {0, 0}));
  EXPECT_SHAPE(run_operator("ReduceMax", {empty}, {{"axes", {1}}, {"keepdims", 0}}), {0});
}

TEST(Reduce, RefusesAnAxisOutside) {
  EXPECT_ERROR(run_operator("ReduceSum", {x23()}, {{"axes", {2}}}), ErrorCode::kArgument,
               "axis: expected -2 to 1, got 2");
  EXPECT_ERROR(compile_operator("ReduceSum", {x23()}, {{"axes", {2}}}), ErrorCode::kArgument,
               "axis: expected -2 to 1");
}

TEST(Reduce, RefusesTheMeanOfIntegers) {
  EXPECT_ERROR(run_operator("ReduceMean", {int32_tensor({2}, {3, 4})}), ErrorCode::kType,
               "expected float32, got Int");
}

}  // namespace
}  // namespace caffe2rt
