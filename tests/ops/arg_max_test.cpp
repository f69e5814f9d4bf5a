#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto x23 = [] { return tensor({2, 3}, {1, 5, 3, 9, 7, 8}); };

TEST(ArgMax, SaysWhereTheExtremesLie) {
  EXPECT_TENSOR_EQ(run_operator("ArgMax", {x23()}), int64_tensor({2, 1}, {1, 0}));
  EXPECT_TENSOR_EQ(run_operator("ArgMin", {x23()}), int64_tensor({2, 1}, {0, 1}));
}

TEST(ArgMax, GoesAlongAnAxis) {
  EXPECT_TENSOR_EQ(run_operator("ArgMax", {x23()}, {{"axis", 0}, {"keepdims", 0}}),
                   int64_tensor({3}, {1, 1, 1}));
}

TEST(ArgMax, OfEqualElementsTheFirstCounts) {
  for (const int64_t n : {5, 100}) {
    const auto x = tensor({n}, std::vector<float>(static_cast<size_t>(n), 7));
    EXPECT_TENSOR_EQ(run_operator("ArgMax", {x}), int64_tensor({1}, {0}));
    EXPECT_TENSOR_EQ(run_operator("ArgMin", {x}), int64_tensor({1}, {0}));
  }
}

TEST(ArgMax, AgreesWithAPlainLoop) {
  const auto x = random({2, 3, 4, 5});
  const auto y = run_operator("ArgMax", {x}, {{"axis", 1}});
  EXPECT_SHAPE(y, {2, 1, 4, 5});
  for_each_index(y, [&](int64_t n, int64_t, int64_t h, int64_t w) {
    int64_t most = 0;
    for (int64_t c = 1; c < 3; c++)
      if (at(x, n, c, h, w) > at(x, n, most, h, w)) most = c;
    ASSERT_EQ(y[n][0][h][w].item<int64_t>(), most);
  });
}

TEST(ArgMax, TakesIntegers) {
  EXPECT_TENSOR_EQ(run_operator("ArgMax", {int32_tensor({3}, {1, 3, 2})}), int64_tensor({1}, {1}));
}

TEST(ArgMax, OfNothingIsZero) {
  EXPECT_SHAPE(run_operator("ArgMax", {tensor({0, 3}, {})}), {0, 1});
  EXPECT_TENSOR_EQ(run_operator("ArgMin", {tensor({0, 2}, {})}, {{"axis", 0}}), int64_tensor({1, 2}, {0, 0}));
}

TEST(ArgMax, RefusesAnAxisThatIsNotThere) {
  EXPECT_ERROR(run_operator("ArgMax", {x23()}, {{"axis", 2}}), ErrorCode::kArgument,
               "axis: expected -2 to 1, got 2");
  EXPECT_ERROR(run_operator("ArgMax", {x23()}, {{"axis", -2}}), ErrorCode::kArgument,
               "argument 'axis': expected -1 or more, got -2");
  EXPECT_ERROR(compile_operator("ArgMin", {x23()}, {{"axis", 2}}), ErrorCode::kArgument, "axis: expected");
}

}  // namespace
}  // namespace caffe2rt
