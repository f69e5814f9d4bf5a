#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x23 = [] { return tensor({2, 3}, {1, 2, 6, -1, 5, 5}); };

TEST(ReduceEnd, ReducesTheFirstOrTheLastDimension) {
  EXPECT_TENSOR_EQ(run_operator("ReduceFrontSum", {x23()}), tensor({3}, {0, 7, 11}));
  EXPECT_TENSOR_EQ(run_operator("ReduceFrontMean", {x23()}), tensor({3}, {0, 3.5F, 5.5F}));
  EXPECT_TENSOR_EQ(run_operator("ReduceFrontMax", {x23()}), tensor({3}, {1, 5, 6}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackSum", {x23()}), tensor({2}, {9, 9}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMean", {x23()}), tensor({2}, {3, 3}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMax", {x23()}), tensor({2}, {6, 5}));
}

TEST(ReduceEnd, ReducesSeveralDimensionsOrNone) {
  const auto x = random({2, 3, 4});
  EXPECT_TENSOR_NEAR(run_operator("ReduceFrontSum", {x}, {{"num_reduce_dim", 2}}),
                     run_operator("ReduceSum", {x}, {{"axes", {0, 1}}, {"keepdims", 0}}), 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("ReduceBackMean", {x}, {{"num_reduce_dim", 3}}),
                     run_operator("ReduceMean", {x}, {{"keepdims", 0}}), 1e-6);
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMax", {x}, {{"num_reduce_dim", 0}}), x);
}

TEST(ReduceEnd, LengthsSayHowManyElementsCount) {
  const auto of_columns = int32_tensor({3}, {1, 2, 1}), of_rows = int32_tensor({2}, {3, 2});
  EXPECT_TENSOR_EQ(run_operator("ReduceFrontSum", {x23(), of_columns}), tensor({3}, {1, 7, 6}));
  EXPECT_TENSOR_EQ(run_operator("ReduceFrontMean", {x23(), of_columns}), tensor({3}, {1, 3.5F, 6}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackSum", {x23(), of_rows}), tensor({2}, {9, 4}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMax", {-x23(), of_rows}), tensor({2}, {-1, 1}));
}

TEST(ReduceEnd, ALengthOfZeroReadsOneElement) {
  const auto lengths = int32_tensor({2}, {0, 0});
  EXPECT_TENSOR_EQ(run_operator("ReduceBackSum", {x23(), lengths}), tensor({2}, {1, -1}));
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMean", {x23(), lengths}), tensor({2}, {INFINITY, -INFINITY}));
  EXPECT_ERROR(run_operator("ReduceBackMean", {x23().to(at::kInt), lengths}), ErrorCode::kArgument,
               "input 1 'lengths': expected 1 to 3, got 0");
}

TEST(ReduceEnd, RoundsMeansOfIntegersTowardsZero) {
  EXPECT_TENSOR_EQ(run_operator("ReduceBackMean", {int32_tensor({2, 2}, {1, 2, -1, -2})}),
                   int32_tensor({2}, {1, -1}));
}

TEST(ReduceEnd, OfNothingIsZero) {
  for (const char* type : {"ReduceFrontSum", "ReduceFrontMean", "ReduceFrontMax"})
    EXPECT_TENSOR_EQ(run_operator(type, {tensor({0, 2}, {})}), tensor({2}, {0, 0}));
  EXPECT_SHAPE(run_operator("ReduceBackSum", {tensor({0, 2}, {})}), {0});
}

TEST(ReduceEnd, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(run_operator("ReduceBackSum", {x23()}, {{"num_reduce_dim", 3}}), ErrorCode::kShape,
               "input 0 'X': expected 3 dimensions or more, got (2,3)");
  EXPECT_ERROR(run_operator("ReduceBackSum", {x23()}, {{"num_reduce_dim", -1}}), ErrorCode::kArgument,
               "argument 'num_reduce_dim': expected 0 or more, got -1");
  EXPECT_ERROR(run_operator("ReduceBackSum", {x23(), int32_tensor({2}, {1, 4})}), ErrorCode::kArgument,
               "input 1 'lengths': expected 0 to 3, got 4");
  EXPECT_ERROR(compile_operator("ReduceBackSum", {x23(), int32_tensor({3}, {1, 1, 1})}), ErrorCode::kShape,
               "input 1 'lengths': expected 2 elements, got (3)");
  EXPECT_ERROR(run_operator("ReduceBackSum", {x23(), int64_tensor({2}, {1, 1})}), ErrorCode::kType,
               "input 1 'lengths': expected int32, got Long");
  EXPECT_ERROR(run_operator("ReduceBackSum", {x23(), int32_tensor({2}, {1, 1})}, {{"num_reduce_dim", 2}}),
               ErrorCode::kArgument, "expected 1 beside lengths, got 2");
}

}  // namespace
}  // namespace caffe2rt
