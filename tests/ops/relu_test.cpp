#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(Relu, KeepsWhatIsPositive) {
  EXPECT_TENSOR_EQ(run_operator("Relu", {tensor({2, 2}, {-1, 0, 0.5F, 3})}), tensor({2, 2}, {0, 0, 0.5F, 3}));
}

TEST(Relu, MakesZeroOfWhatIsNoNumber) {
  EXPECT_TENSOR_EQ(run_operator("Relu", {tensor({5}, {NAN, 1, NAN, -NAN, INFINITY})}),
                   tensor({5}, {0, 1, 0, 0, INFINITY}));
}

TEST(Relu, TakesAnyLayout) {
  const auto x = random({2, 3, 5, 7});
  const auto y = run_operator("Relu", {x});
  EXPECT_TENSOR_EQ(run_operator("Relu", {x.contiguous(at::MemoryFormat::ChannelsLast)}), y);
  EXPECT_TENSOR_EQ(run_operator("Relu", {x.slice(3, 1, 6)}), y.slice(3, 1, 6));
  for_each_index(x, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    ASSERT_EQ(at(y, n, c, h, w), std::max(at(x, n, c, h, w), 0.0F));
  });
}

TEST(Relu, EmptyInputGivesEmptyOutput) { EXPECT_SHAPE(run_operator("Relu", {tensor({0, 4}, {})}), {0, 4}); }

TEST(Relu, RefusesWholeNumbers) {
  EXPECT_ERROR(run_operator("Relu", {int64_tensor({1}, {1})}), ErrorCode::kType, "expected float32");
}

}  // namespace
}  // namespace caffe2rt
