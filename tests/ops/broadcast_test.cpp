#include "ops/broadcast.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Broadcast broadcast(const Args& args) {
  const OperatorDef def = operator_def("Add", 2, 1, args);
  return Broadcast(OperatorArgs(def, at::kCPU));
}

TEST(Broadcast, NumpysRuleRepeatsDimensionsOfSizeOne) {
  EXPECT_EQ(broadcast_shape({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shape({}, {3}), (Shape{3}));
}

TEST(Broadcast, AnUnknownDimensionCanBeOneOrTheSame) {
  EXPECT_EQ(broadcast_shape({kUnknown, 2}, {5, 2}), (Shape{5, 2}));
  EXPECT_EQ(broadcast_shape({kUnknown}, {1}), (Shape{kUnknown}));
}

TEST(Broadcast, TheOlderRulePutsOnesBehindB) {
  const auto a = random({2, 3, 4}), b = random({3});
  EXPECT_SHAPE(broadcast({{"broadcast", 1}, {"axis", 1}}).fit(a, b), {3, 1});
  EXPECT_SHAPE(broadcast({}).fit(a, random({4})), {4});
}

TEST(Broadcast, TheOlderRuleKeepsTheShapeOfA) {
  const Broadcast older = broadcast({{"broadcast", 1}});
  EXPECT_EQ(older.shape(Shape{2, 3}, std::nullopt), PartialShape(Shape{2, 3}));
  EXPECT_EQ(older.shape(Shape{2, 3}, Shape{kUnknown}), PartialShape(Shape{2, 3}));
  EXPECT_EQ(broadcast({}).shape(Shape{2, 3}, std::nullopt), std::nullopt);
}

TEST(Broadcast, RefusesWhatDoesNotFit) {
  EXPECT_ERROR(broadcast_shape({2, 3}, {2}), ErrorCode::kShape, "(2,3) and (2) cannot be broadcast together");
  EXPECT_ERROR(broadcast({{"broadcast", 1}}).shape(Shape{2, 3}, Shape{2}), ErrorCode::kShape,
               "(2,3) and (2) cannot be broadcast together");
}

}  // namespace
}  // namespace caffe2rt
