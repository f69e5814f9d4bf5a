#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(BatchPermutation, TakesRowsInTheOrderOfTheIndices) {
  const auto y =
      run_operator("BatchPermutation", {tensor({3, 2}, {1, 2, 3, 4, 5, 6}), int32_tensor({3}, {2, 0, 1})});
  EXPECT_TENSOR_EQ(y, tensor({3, 2}, {5, 6, 1, 2, 3, 4}));
}

TEST(BatchPermutation, KeepsChannelsLastMemory) {
  const auto x = random({4, 3, 2, 5});
  const auto indices = int32_tensor({4}, {3, 1, 0, 2});
  const auto y = run_operator("BatchPermutation", {x.contiguous(at::MemoryFormat::ChannelsLast), indices});
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  for_each_index(y, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    ASSERT_EQ(at(y, n, c, h, w), at(x, indices.data_ptr<int32_t>()[n], c, h, w));
  });
}

TEST(BatchPermutation, EmptyBatchGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator("BatchPermutation", {tensor({0, 2, 3, 3}, {}), int32_tensor({0}, {})}),
               {0, 2, 3, 3});
}

TEST(BatchPermutation, RefusesIndicesThatDoNotFit) {
  EXPECT_ERROR(run_operator("BatchPermutation", {random({2, 2}), int32_tensor({1}, {0})}), ErrorCode::kShape,
               "expected (2), got (1)");
  EXPECT_ERROR(run_operator("BatchPermutation", {random({2, 2}), int32_tensor({2}, {0, 2})}),
               ErrorCode::kArgument, "index 2 in a batch of 2");
  EXPECT_ERROR(run_operator("BatchPermutation", {random({2, 2}), random({2})}), ErrorCode::kType,
               "int32 or int64");
}

}  // namespace
}  // namespace caffe2rt
