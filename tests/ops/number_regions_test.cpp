#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

constexpr char kType[] = "caffe2rt.NumberRegions";

TEST(NumberRegions, PutsTheImageBeforeEachBox) {
  const auto boxes = tensor({3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_TENSOR_EQ(run_operator(kType, {boxes, tensor({3}, {1, 0, 2})}),
                   tensor({3, 5}, {0, 1, 2, 3, 4, 2, 5, 6, 7, 8, 2, 9, 10, 11, 12}));
}

TEST(NumberRegions, TakesRotatedBoxes) {
  EXPECT_TENSOR_EQ(run_operator(kType, {tensor({1, 5}, {1, 2, 3, 4, 90}), tensor({2}, {0, 1})}),
                   tensor({1, 6}, {1, 1, 2, 3, 4, 90}));
}

TEST(NumberRegions, NoBoxesGiveNoRegions) {
  EXPECT_SHAPE(run_operator(kType, {tensor({0, 4}, {}), tensor({2}, {0, 0})}), {0, 5});
}

TEST(NumberRegions, RefusesSplitsThatDoNotAddUp) {
  const auto boxes = tensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_ERROR(run_operator(kType, {boxes, tensor({1}, {3})}), ErrorCode::kShape, "more rows than the 2");
  EXPECT_ERROR(run_operator(kType, {boxes, tensor({1}, {1})}), ErrorCode::kShape,
               "expected 2 rows in all, got 1");
}

}  // namespace
}  // namespace caffe2rt
