#include <cmath>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(TopK, GivesTheLargestFirst) {
  const auto out = run_operator_outputs("TopK", {tensor({2, 3}, {1, 5, 3, 9, 7, 8})}, {{"k", 2}}, 3);
  EXPECT_TENSOR_EQ(out[0], tensor({2, 2}, {5, 3, 9, 8}));
  EXPECT_TENSOR_EQ(out[1], int64_tensor({2, 2}, {1, 2, 0, 2}));
  EXPECT_TENSOR_EQ(out[2], int64_tensor({4}, {1, 2, 3, 5}));
}

TEST(TopK, OfEqualElementsTheFirstComesFirst) {
  const auto out = run_operator_outputs("TopK", {tensor({5}, {1, 3, 3, 2, 3})}, {{"k", 2}}, 2);
  EXPECT_TENSOR_EQ(out[1], int64_tensor({2}, {1, 2}));
}

TEST(TopK, NanIsLessThanAnyNumber) {
  const auto out = run_operator_outputs("TopK", {tensor({4}, {NAN, -9, NAN, 2})}, {{"k", 3}}, 2);
  EXPECT_TENSOR_EQ(out[1], int64_tensor({3}, {3, 1, 0}));
}

TEST(TopK, PadsWhereThereAreFewer) {
  const auto out = run_operator_outputs("TopK", {tensor({1, 2}, {1, 2})}, {{"k", 3}}, 3);
  EXPECT_TENSOR_EQ(out[0], tensor({1, 3}, {2, 1, 0}));
  EXPECT_TENSOR_EQ(out[1], int64_tensor({1, 3}, {1, 0, -1}));
  EXPECT_TENSOR_EQ(out[2], int64_tensor({3}, {1, 0, -1}));
}

TEST(TopK, AlongAnyAxisAgreesWithTheLastOne) {
  const auto x = random({3, 4, 5});
  const auto out = run_operator_outputs("TopK", {x}, {{"k", 2}, {"axis", 1}}, 3);
  const auto last = run_operator_outputs("TopK", {x.transpose(1, 2)}, {{"k", 2}}, 2);
  EXPECT_TENSOR_EQ(out[0], last[0].transpose(1, 2));
  EXPECT_TENSOR_EQ(out[1], last[1].transpose(1, 2));
  EXPECT_TENSOR_EQ(x.flatten().index_select(0, out[2]), out[0].flatten());
}

TEST(TopK, KCanBeFed) {
  EXPECT_SHAPE(run_operator_outputs("TopK", {random({4, 5}), int64_tensor({1}, {3})}, {}, 2)[0], {4, 3});
}

TEST(TopK, EmptyInputGivesEmptyOutput) {
  EXPECT_SHAPE(run_operator_outputs("TopK", {tensor({0, 3}, {})}, {{"k", 2}}, 2)[0], {0, 2});
  EXPECT_TENSOR_EQ(run_operator_outputs("TopK", {tensor({1, 0}, {})}, {{"k", 1}}, 2)[1],
                   int64_tensor({1, 1}, {-1}));
}

TEST(TopK, RefusesWhatMakesNoSense) {
  const auto run = [](const std::vector<at::Tensor>& in, const Args& args) {
    return run_operator_outputs("TopK", in, args, 2);
  };
  EXPECT_ERROR(run({random({3})}, {}), ErrorCode::kArgument, "k: expected at least 1, got -1");
  EXPECT_ERROR(run({random({3}), int64_tensor({1}, {0})}, {}), ErrorCode::kArgument,
               "expected at least 1, got 0");
  EXPECT_ERROR(run({random({3}), int64_tensor({2}, {1, 1})}, {}), ErrorCode::kShape,
               "input 1 'k': expected one element, got 2");
  EXPECT_ERROR(run({random({3})}, {{"k", 1}, {"axis", 1}}), ErrorCode::kArgument,
               "axis: expected -1 to 0, got 1");
  EXPECT_ERROR(run({random({3})}, {{"k", 1}, {"axis", -2}}), ErrorCode::kArgument,
               "expected -1 or more, got -2");
  EXPECT_ERROR(run({random({})}, {{"k", 1}}), ErrorCode::kArgument, "axis: expected");
}

}  // namespace
}  // namespace caffe2rt
