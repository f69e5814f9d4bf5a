#include "ops/fill_shape.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

// Every fill reads its shape in this way; this one needs nothing else.
at::Tensor fill(const std::vector<at::Tensor>& inputs, const Args& args) {
  return run_operator("ConstantFill", inputs, args);
}

TEST(FillShape, IsTheArgument) {
  EXPECT_SHAPE(fill({}, {{"shape", Ints{2, 3}}}), {2, 3});
  EXPECT_SHAPE(fill({}, {{"shape", Ints{0, 3}}}), {0, 3});
  EXPECT_SHAPE(fill({}, {}), {});
}

TEST(FillShape, IsThatOfTheInputWithWhatFollows) {
  EXPECT_SHAPE(fill({random({3, 2})}, {}), {3, 2});
  EXPECT_SHAPE(fill({random({3, 2})}, {{"extra_shape", Ints{4}}}), {3, 2, 4});
}

TEST(FillShape, IsWhatTheInputHolds) {
  EXPECT_SHAPE(fill({int64_tensor({2}, {3, 2})}, {{"input_as_shape", 1}, {"extra_shape", Ints{5}}}),
               {3, 2, 5});
  EXPECT_SHAPE(fill({int32_tensor({2}, {0, 2})}, {{"input_as_shape", 1}}), {0, 2});
}

TEST(FillShape, IsKnownBeforeARunWithoutAnInput) {
  const OperatorDef def = operator_def("ConstantFill", 0, 1, {{"shape", Ints{2, 3}}});
  EXPECT_EQ(FillShape(OperatorArgs(def, c10::DeviceType::CPU)).infer({}), PartialShape(Ints{2, 3}));
}

TEST(FillShape, RefusesArgumentsThatDoNotGoTogether) {
  EXPECT_ERROR(fill({random({2})}, {{"shape", Ints{2}}}), ErrorCode::kArgument, "got both");
  EXPECT_ERROR(fill({}, {{"shape", Ints{2}}, {"extra_shape", Ints{2}}}), ErrorCode::kArgument,
               "expected an input");
  EXPECT_ERROR(fill({}, {{"input_as_shape", 1}}), ErrorCode::kArgument, "expected an input");
}

TEST(FillShape, RefusesAnInputThatIsNoShape) {
  EXPECT_ERROR(fill({random({2})}, {{"input_as_shape", 1}}), ErrorCode::kType,
               "expected int32 or int64, got Float");
  EXPECT_ERROR(fill({int64_tensor({1, 1}, {2})}, {{"input_as_shape", 1}}), ErrorCode::kShape,
               "expected 1 dimensions");
  EXPECT_ERROR(fill({int64_tensor({2}, {2, -3})}, {{"input_as_shape", 1}}), ErrorCode::kArgument,
               "expected a shape, got (2,-3)");
}

TEST(FillShape, RefusesAbsurdSizes) {
  EXPECT_ERROR(fill({}, {{"shape", Ints{1 << 20, 1 << 20}}}), ErrorCode::kLimit,
               "got a tensor (1048576,1048576)");
  EXPECT_ERROR(fill({}, {{"shape", Ints{INT64_MAX, INT64_MAX, 4}}}), ErrorCode::kLimit, "expected at most");
  EXPECT_ERROR(fill({int64_tensor({2}, {1 << 30, 1 << 30})}, {{"input_as_shape", 1}}), ErrorCode::kLimit,
               "expected at most");
}

}  // namespace
}  // namespace caffe2rt
