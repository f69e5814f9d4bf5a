#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(FC, MultipliesAndAddsTheBias) {
  const auto y = run_operator(
      "FC", {tensor({2, 2}, {1, 2, 3, 4}), tensor({3, 2}, {1, 0, 0, 1, 1, 1}), tensor({3}, {0, 10, 0})});
  EXPECT_TENSOR_EQ(y, tensor({2, 3}, {1, 12, 3, 3, 14, 7}));
}

TEST(FC, FlattensTheAxesAfterTheFirst) {
  const auto x = random({3, 4, 2, 2}), w = random({5, 16}), b = random({5});
  EXPECT_TENSOR_EQ(run_operator("FC", {x, w, b}), run_operator("FC", {x.reshape({3, 16}), w, b}));
  EXPECT_TENSOR_EQ(run_operator("FC", {x, w.reshape({5, 4, 2, 2}), b}), run_operator("FC", {x, w, b}));
}

TEST(FC, ReadsChannelsLastMemoryInTheRightOrder) {
  const auto x = random({3, 4, 2, 2}), w = random({5, 16}), b = random({5});
  EXPECT_TENSOR_EQ(run_operator("FC", {x.contiguous(at::MemoryFormat::ChannelsLast), w, b}),
                   run_operator("FC", {x, w, b}));
}

TEST(FC, KeepsTheAxesBeforeAxis) {
  const auto x = random({3, 2, 4}), w = random({5, 4}), b = random({5});
  const auto expected = run_operator("FC", {x.reshape({6, 4}), w, b}).view({3, 2, 5});
  EXPECT_TENSOR_EQ(run_operator("FC", {x, w, b}, {{"axis", 2}}), expected);
  EXPECT_TENSOR_EQ(run_operator("FC", {x, w, b}, {{"axis", -1}}), expected);
}

TEST(FC, AxisWSplitsTheWeights) {
  const auto x = random({3, 4}), w = random({5, 2, 4}), b = random({10});
  EXPECT_TENSOR_EQ(run_operator("FC", {x, w, b}, {{"axis_w", 2}}),
                   run_operator("FC", {x, w.reshape({10, 4}), b}));
}

TEST(FC, AgreesWithAPlainLoop) {
  const auto x = random({7, 13}), w = random({11, 13}), b = random({11});
  const auto y = run_operator("FC", {x, w, b});
  for (int m = 0; m < 7; m++)
    for (int n = 0; n < 11; n++) {
      double sum = at(b, n);
      for (int k = 0; k < 13; k++) sum += static_cast<double>(at(x, m, k)) * at(w, n, k);
      ASSERT_NEAR(at(y, m, n), sum, 1e-5);
    }
}

TEST(FC, NoRowsGiveNoRows) {
  EXPECT_SHAPE(run_operator("FC", {tensor({0, 4, 2, 2}, {}), random({5, 16}), random({5})}), {0, 5});
}

TEST(FC, RefusesWeightsThatDoNotFit) {
  EXPECT_ERROR(run_operator("FC", {random({3, 4}), random({5, 6}), random({5})}), ErrorCode::kShape,
               "input 1 'W': expected 4 elements from axis 1 on");
  EXPECT_ERROR(run_operator("FC", {random({3, 4}), random({5, 4}), random({3})}), ErrorCode::kShape,
               "input 2 'b': expected (5), got (3)");
  EXPECT_ERROR(compile_operator("FC", {random({3, 4}), random({5, 6}), random({5})}), ErrorCode::kShape,
               "input 1 'W'");
}

TEST(FCTransposed, TakesWeightsByColumn) {
  const auto x = random({3, 4, 2}), w = random({8, 5}), b = random({5});
  const auto expected = run_operator("FC", {x, w.t().contiguous(), b});
  EXPECT_TENSOR_NEAR(run_operator("FCTransposed", {x, w, b}), expected, 1e-6);
  EXPECT_TENSOR_NEAR(run_operator("FCTransposed", {x, w.view({4, 2, 5}), b}, {{"axis_w", 2}}), expected,
                     1e-6);
}

TEST(FCTransposed, NoRowsGiveNoRows) {
  EXPECT_SHAPE(run_operator("FCTransposed", {tensor({0, 4}, {}), random({4, 5}), random({5})}), {0, 5});
}

TEST(FCTransposed, RefusesWeightsThatDoNotFit) {
  EXPECT_ERROR(compile_operator("FCTransposed", {random({3, 4}), random({5, 4}), random({5})}),
               ErrorCode::kShape, "input 1 'W': expected 4 elements before axis 1");
  EXPECT_ERROR(run_operator("FCTransposed", {random({3, 4}), random({4, 5}), random({4})}), ErrorCode::kShape,
               "input 2 'b': expected (5), got (4)");
}

TEST(FC, RefusesAnAxisThatIsNotThere) {
  EXPECT_ERROR(run_operator("FC", {random({3, 4}), random({5, 4}), random({5})}, {{"axis", 2}}),
               ErrorCode::kShape, "input 0 'X': expected an axis 2, got (3,4)");
}

}  // namespace
}  // namespace caffe2rt
