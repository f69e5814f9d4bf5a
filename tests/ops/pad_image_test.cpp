#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const auto row = [] { return tensor({1, 1, 1, 3}, {1, 2, 3}); };

Args columns(const char* mode, int left, int right) {
  return {{"mode", mode}, {"pads", {0, left, 0, right}}};
}

TEST(PadImage, PadsWithANumber) {
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, {{"pad", 1}, {"value", 9.0F}}),
                   tensor({1, 1, 3, 5}, {9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9, 9, 9}));
}

TEST(PadImage, RepeatsTheEdge) {
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("edge", 2, 1)),
                   tensor({1, 1, 1, 6}, {1, 1, 1, 2, 3, 3}));
}

TEST(PadImage, ReflectsAtTheEdge) {
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("reflect", 2, 1)),
                   tensor({1, 1, 1, 6}, {3, 2, 1, 2, 3, 2}));
}

TEST(PadImage, ReflectsASecondTimeInFront) {
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("reflect", 4, 0)),
                   tensor({1, 1, 1, 7}, {1, 2, 3, 2, 1, 2, 3}));
}

TEST(PadImage, CutsOffWhereNegative) {
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("constant", -1, 1)),
                   tensor({1, 1, 1, 3}, {2, 3, 0}));
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("reflect", -1, 2)),
                   tensor({1, 1, 1, 4}, {2, 3, 2, 1}));
  EXPECT_TENSOR_EQ(run_operator("PadImage", {row()}, columns("edge", -2, 1)), tensor({1, 1, 1, 2}, {3, 3}));
}

TEST(PadImage, TakesEveryFormOfThePadding) {
  const auto x = random({1, 2, 3, 4});
  const auto expected = run_operator("PadImage", {x}, {{"pads", {1, 2, 3, 4}}});
  EXPECT_SHAPE(expected, {1, 2, 7, 10});
  EXPECT_TENSOR_EQ(run_operator("PadImage", {x}, {{"pad_t", 1}, {"pad_l", 2}, {"pad_b", 3}, {"pad_r", 4}}),
                   expected);
  EXPECT_TENSOR_EQ(run_operator("PadImage", {x}, {{"pad_t", 1}}), x);  // as the original: all or none
  EXPECT_TENSOR_EQ(run_operator("PadImage", {x}), x);
}

TEST(PadImage, GivesTheSameInEveryLayout) {
  const auto x = random({2, 3, 4, 5});
  for (const char* mode : {"constant", "reflect", "edge"}) {
    SCOPED_TRACE(mode);
    const Args args = {{"mode", mode}, {"pads", {1, 2, 3, 0}}};
    const auto y = run_operator("PadImage", {x}, args);
    const auto last = run_operator("PadImage", {x.contiguous(at::MemoryFormat::ChannelsLast)}, args);
    EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_TENSOR_EQ(last, y);
    Args nhwc = args;
    nhwc.emplace_back("order", "NHWC");
    EXPECT_TENSOR_EQ(run_operator("PadImage", {x.permute({0, 2, 3, 1}).contiguous()}, nhwc),
                     y.permute({0, 2, 3, 1}));
  }
}

TEST(PadImage, EmptyBatchGivesEmptyOutput) {
  for (const char* mode : {"constant", "reflect", "edge"})
    EXPECT_SHAPE(run_operator("PadImage", {tensor({0, 1, 2, 3}, {})}, {{"mode", mode}, {"pad", 1}}),
                 {0, 1, 4, 5});
}

TEST(PadImage, RefusesWhatMakesNoSense) {
  EXPECT_ERROR(run_operator("PadImage", {row()}, columns("wrap", 1, 1)), ErrorCode::kArgument,
               "argument 'mode': expected constant, reflect or edge, got 'wrap'");
  EXPECT_ERROR(run_operator("PadImage", {row()}, columns("reflect", 0, 3)), ErrorCode::kShape,
               "expected at least 4 pixels along an axis padded by 0 and 3, got 3");
  EXPECT_ERROR(run_operator("PadImage", {row()}, columns("reflect", 5, 0)), ErrorCode::kShape,
               "expected at least 4 pixels along an axis padded by 5 and 0, got 3");
  EXPECT_ERROR(compile_operator("PadImage", {row()}, columns("edge", -3, 9)), ErrorCode::kShape,
               "expected at least 4 pixels");
  EXPECT_ERROR(run_operator("PadImage", {row()}, {{"pads", {1, 1}}}), ErrorCode::kArgument,
               "argument 'pads': expected 4 numbers, got 2");
  EXPECT_ERROR(run_operator("PadImage", {row()}, {{"pad", 1}, {"stride", 2}}), ErrorCode::kArgument,
               "argument 'stride': expected 1, got 2");
  EXPECT_ERROR(run_operator("PadImage", {random({2, 2})}, {{"pad", 1}}), ErrorCode::kShape,
               "input 0 'X': expected 4 dimensions, got (2,2)");
}

}  // namespace
}  // namespace caffe2rt
