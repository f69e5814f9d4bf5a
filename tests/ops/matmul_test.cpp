#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto a23 = [] { return tensor({2, 3}, {1, 2, 3, 4, 5, 6}); };
const auto b32 = [] { return tensor({3, 2}, {1, 0, 0, 1, 1, 1}); };

TEST(MatMul, MultipliesMatrices) {
  EXPECT_TENSOR_EQ(run_operator("MatMul", {a23(), b32()}), tensor({2, 2}, {4, 5, 10, 11}));
}

TEST(MatMul, TransposesEitherSide) {
  const auto expected = run_operator("MatMul", {a23(), b32()});
  EXPECT_TENSOR_EQ(run_operator("MatMul", {a23().t().contiguous(), b32()}, {{"trans_a", 1}}), expected);
  EXPECT_TENSOR_EQ(run_operator("MatMul", {a23(), b32().t().contiguous()}, {{"trans_b", 1}}), expected);
}

TEST(MatMul, AxesSayWhatTheColumnsAre) {
  const auto a = random({2, 3, 4}), b = random({4, 5, 6});
  EXPECT_TENSOR_EQ(run_operator("MatMul", {a, b}, {{"axis_a", 2}}),
                   run_operator("MatMul", {a.view({6, 4}), b.view({4, 30})}));
  const auto c = random({20, 7});
  // The transposed one may be summed in another order.
  EXPECT_TENSOR_NEAR(run_operator("MatMul", {b, c}, {{"axis_a", -1}, {"trans_a", 1}}),
                     run_operator("MatMul", {b.view({20, 6}).t().contiguous(), c}), 1e-6);
}

TEST(MatMul, AThirdInputGivesItsShape) {
  EXPECT_TENSOR_EQ(run_operator("MatMul", {a23(), b32(), random({4, 1})}), tensor({4, 1}, {4, 5, 10, 11}));
}

TEST(MatMul, AgreesWithAPlainLoop) {
  const auto a = random({7, 13}), b = random({13, 11});
  const auto y = run_operator("MatMul", {a, b});
  for (int m = 0; m < 7; m++)
    for (int n = 0; n < 11; n++) {
      double sum = 0;
      for (int k = 0; k < 13; k++) sum += static_cast<double>(at(a, m, k)) * at(b, k, n);
      ASSERT_NEAR(at(y, m, n), sum, 1e-5);
    }
}

TEST(MatMul, OfNothingIsZeroOrNothing) {
  EXPECT_SHAPE(run_operator("MatMul", {tensor({0, 3}, {}), b32()}), {0, 2});
  EXPECT_TENSOR_EQ(run_operator("MatMul", {tensor({2, 0}, {}), tensor({0, 1}, {})}), tensor({2, 1}, {0, 0}));
}

TEST(MatMul, RefusesSidesThatDoNotFit) {
  EXPECT_ERROR(run_operator("MatMul", {a23(), a23()}), ErrorCode::kShape,
               "input 1 'B': expected 3 rows, as A (2,3) has columns, got (2,3)");
  EXPECT_ERROR(compile_operator("MatMul", {a23(), a23()}), ErrorCode::kShape, "expected 3 rows");
  EXPECT_ERROR(run_operator("MatMul", {a23(), random({3})}), ErrorCode::kShape,
               "input 1 'B': expected an axis 1, got (3)");
  EXPECT_ERROR(run_operator("MatMul", {a23(), b32(), random({3})}), ErrorCode::kShape,
               "input 2 'like': expected 4 elements, got (3)");
}

TEST(BatchMatMul, MultipliesEachPair) {
  const auto a = tensor({2, 1, 2}, {1, 2, 3, 4}), b = tensor({2, 2, 1}, {1, 1, 10, 100});
  EXPECT_TENSOR_EQ(run_operator("BatchMatMul", {a, b}), tensor({2, 1, 1}, {3, 430}));
}

TEST(BatchMatMul, TransposesEitherSide) {
  const auto a = random({2, 3, 4}), b = random({2, 4, 5});
  const auto expected = run_operator("BatchMatMul", {a, b});
  EXPECT_TENSOR_NEAR(run_operator("BatchMatMul", {a.transpose(1, 2).contiguous(), b}, {{"trans_a", 1}}),
                     expected, 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("BatchMatMul", {a, b.transpose(1, 2).contiguous()}, {{"trans_b", 1}}),
                     expected, 1e-6);
}

TEST(BatchMatMul, BroadcastsBatchesWhereAllowed) {
  const auto a = random({3, 1, 2, 4}), b = random({5, 4, 2});
  const auto y = run_operator("BatchMatMul", {a, b}, {{"broadcast", 1}});
  EXPECT_SHAPE(y, {3, 5, 2, 2});
  for_each_index(y, [&](int64_t i, int64_t j, int64_t m, int64_t n) {
    double sum = 0;
    for (int k = 0; k < 4; k++) sum += static_cast<double>(at(a, i, 0, m, k)) * at(b, j, k, n);
    ASSERT_NEAR(at(y, i, j, m, n), sum, 1e-5);
  });
  EXPECT_ERROR(run_operator("BatchMatMul", {a, b}), ErrorCode::kShape,
               "expected batches of one shape without 'broadcast', got (3,1,2,4) and (5,4,2)");
}

TEST(BatchMatMul, AVectorIsARowOrAColumn) {
  const auto v = tensor({3}, {1, 0, 2});
  EXPECT_TENSOR_EQ(run_operator("BatchMatMul", {v, v}), tensor({1}, {5}));
  EXPECT_TENSOR_EQ(run_operator("BatchMatMul", {a23(), v}), tensor({2}, {7, 16}));
  EXPECT_TENSOR_EQ(run_operator("BatchMatMul", {v, b32()}, {{"trans_a", 1}}), tensor({2}, {3, 2}));
  EXPECT_TENSOR_EQ(run_operator("BatchMatMul", {b32(), v}, {{"trans_a", 1}}), tensor({2}, {3, 2}));
  EXPECT_SHAPE(run_operator("BatchMatMul", {v, random({4, 3, 2})}), {4, 2});
}

TEST(BatchMatMul, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("BatchMatMul", {tensor({0, 2, 3}, {}), tensor({0, 3, 4}, {})}), {0, 2, 4});
}

TEST(BatchMatMul, RefusesSidesThatDoNotFit) {
  EXPECT_ERROR(run_operator("BatchMatMul", {random({2, 3, 4}), random({2, 3, 4})}), ErrorCode::kShape,
               "input 1 'B': expected 4 rows, as A (2,3,4) has columns, got (2,3,4)");
  EXPECT_ERROR(compile_operator("BatchMatMul", {random({2, 3, 4}), random({2, 3, 4})}), ErrorCode::kShape,
               "expected 4 rows");
  EXPECT_ERROR(run_operator("BatchMatMul", {random({}), random({2})}), ErrorCode::kShape,
               "expected matrices or vectors, got () and (2)");
}

}  // namespace
}  // namespace caffe2rt
