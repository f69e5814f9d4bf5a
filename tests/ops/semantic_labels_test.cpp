#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr const char* kType = "caffe2rt.SemanticLabels";

TEST(SemanticLabels, AreTheBestClassesOfStretchedLogits) {
  // Class 1 on the right of 2x2 pixels, the third column is padding.
  const at::Tensor logits = tensor({1, 2, 2, 3}, {1, 0, 9, 1, 0, 9, 0, 2, 0, 0, 2, 0});
  const at::Tensor labels = run_operator(kType, {logits, tensor({1, 4}, {2, 2, 1, 4})});
  EXPECT_TENSOR_EQ(labels.to(at::kFloat), tensor({4}, {0, 0, 1, 1}));
}

TEST(SemanticLabels, OfEqualClassesTheFirst) {
  EXPECT_TENSOR_EQ(
      run_operator(kType, {tensor({1, 2, 1, 1}, {3, 3}), tensor({1, 4}, {1, 1, 1, 2})}).to(at::kFloat),
      tensor({2}, {0, 0}));
}

TEST(SemanticLabels, FramesFollowEachOther) {
  const at::Tensor logits = tensor({2, 2, 1, 1}, {1, 0, 0, 1});
  EXPECT_TENSOR_EQ(run_operator(kType, {logits, tensor({2, 4}, {1, 1, 1, 2, 1, 1, 3, 1})}).to(at::kFloat),
                   tensor({5}, {0, 0, 1, 1, 1}));
}

TEST(SemanticLabels, RefusesWhatDoesNotFit) {
  const at::Tensor logits = random({1, 2, 4, 4});
  EXPECT_ERROR(run_operator(kType, {logits, tensor({1, 4}, {5, 4, 8, 8})}), ErrorCode::kShape,
               "input 0 'logits': expected at least 5x4, got 4x4");
  EXPECT_ERROR(run_operator(kType, {logits, tensor({1, 4}, {4, 4, 0, 8})}), ErrorCode::kShape,
               "input 1 'sizes': expected sides of 1 to 65536, got 0");
  EXPECT_ERROR(run_operator(kType, {logits, random({2, 4})}), ErrorCode::kShape, "input 1 'sizes'");
}

}  // namespace
}  // namespace caffe2rt
