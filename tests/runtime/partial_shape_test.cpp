#include "runtime/partial_shape.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

PartialShape shape(Shape s) { return s; }

TEST(PartialShape, PrintsWhatIsKnown) {
  EXPECT_EQ(to_string(shape({1, 3, kUnknown})), "(1,3,?)");
  EXPECT_EQ(to_string(shape({})), "()");
  EXPECT_EQ(to_string(PartialShape()), "(?)...");
}

TEST(PartialShape, UnknownSizesFitAnything) {
  EXPECT_TRUE(compatible(shape({1, kUnknown}), shape({1, 5})));
  EXPECT_TRUE(compatible(PartialShape(), shape({1, 5})));
  EXPECT_FALSE(compatible(shape({1, 4}), shape({1, 5})));
  EXPECT_FALSE(compatible(shape({1}), shape({1, 1})));
}

TEST(PartialShape, RequireCompatibleSaysBoth) {
  EXPECT_NO_THROW(require_compatible("scale", shape({3}), shape({kUnknown})));
  EXPECT_ERROR(require_compatible("scale", shape({3}), shape({2})), ErrorCode::kShape,
               "scale: expected (2), got (3)");
}

TEST(PartialShape, CountsElementsUnderALimit) {
  EXPECT_EQ(element_count(Shape{2, 3}), 6);
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_EQ(element_count(Shape{0, 1 << 30}), 0);
  EXPECT_ERROR(element_count(Shape{1 << 30, 1 << 30, 1 << 30}), ErrorCode::kLimit, "expected at most");
  EXPECT_ERROR(element_count(Shape{-1, 2}), ErrorCode::kArgument, "expected a shape");
}

TEST(PartialShape, GivesADimensionWhereItIsKnown) {
  EXPECT_EQ(dim_or_unknown(shape({4, 5}), 1), 5);
  EXPECT_EQ(dim_or_unknown(shape({4, 5}), 2), kUnknown);
  EXPECT_EQ(dim_or_unknown(PartialShape(), 0), kUnknown);
}

}  // namespace
}  // namespace caffe2rt
