#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

at::Tensor integers(const std::vector<int32_t>& ends) {
  std::vector<at::Tensor> in;
  for (const int32_t v : ends) in.push_back(int32_tensor({1}, {v}));
  return run_operator("Range", in);
}

at::Tensor numbers(const std::vector<float>& ends) {
  std::vector<at::Tensor> in;
  for (const float v : ends) in.push_back(tensor({1}, {v}));
  return run_operator("Range", in);
}

TEST(Range, CountsUpToTheStop) {
  EXPECT_TENSOR_EQ(integers({3}), int32_tensor({3}, {0, 1, 2}));
  EXPECT_TENSOR_EQ(integers({2, 5}), int32_tensor({3}, {2, 3, 4}));
  EXPECT_TENSOR_EQ(integers({2, 7, 2}), int32_tensor({3}, {2, 4, 6}));
  EXPECT_TENSOR_NEAR(numbers({0, 1, 0.25F}), tensor({4}, {0, 0.25F, 0.5F, 0.75F}), 1e-6);
}

TEST(Range, CountsDown) {
  EXPECT_TENSOR_EQ(integers({7, 3, -2}), int32_tensor({2}, {7, 5}));
  EXPECT_TENSOR_EQ(numbers({7, 2, -2}), tensor({3}, {7, 5, 3}));
}

TEST(Range, LeavesOutTheLastIntegerOnTheWayDown) {
  EXPECT_TENSOR_EQ(integers({7, 2, -2}), int32_tensor({2}, {7, 5}));
}

TEST(Range, CountsFloatsInFloat32) { EXPECT_SHAPE(numbers({0, 0.3F, 0.1F}), {3}); }

TEST(Range, AwayFromTheStopThereIsNothing) {
  EXPECT_SHAPE(integers({5, 1}), {0});
  EXPECT_SHAPE(numbers({0, 7, -3}), {0});
}

TEST(Range, TakesAnyNumberType) {
  EXPECT_TENSOR_EQ(run_operator("Range", {int64_tensor({}, {2})}), int64_tensor({2}, {0, 1}));
  EXPECT_TENSOR_EQ(run_operator("Range", {tensor({1}, {2}).to(at::kDouble)}),
                   tensor({2}, {0, 1}).to(at::kDouble));
}

TEST(Range, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(integers({0, 5, 0}), ErrorCode::kArgument,
               "input 2 'step': expected another number than 0, got 0");
  EXPECT_ERROR(numbers({0, NAN}), ErrorCode::kArgument, "expected numbers below 2^61, got nan");
  EXPECT_ERROR(numbers({0, 1e18F, 1e-30F}), ErrorCode::kLimit, "");
  EXPECT_ERROR(run_operator("Range", {int32_tensor({1}, {0}), int64_tensor({1}, {5})}), ErrorCode::kType,
               "input 1 'stop': expected Int, got Long");
  EXPECT_ERROR(run_operator("Range", {int32_tensor({2}, {0, 1})}), ErrorCode::kShape,
               "input 0 'start': expected one element, got 2");
}

}  // namespace
}  // namespace caffe2rt
