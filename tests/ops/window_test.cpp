#include "ops/window.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Ints = std::vector<std::int64_t>;

Window window(const Args& args) {
  return Window::read(OperatorArgs(operator_def("Conv", 2, 1, args), c10::DeviceType::CPU));
}

TEST(Window, TakesOneNumberForBothAxes) {
  const Window w = window({{"kernel", 3}, {"stride", 2}, {"pad", 1}});
  EXPECT_EQ(w.kernel, (Ints{3, 3}));
  EXPECT_EQ(w.stride, (Ints{2, 2}));
  EXPECT_EQ(w.dilation, (Ints{1, 1}));
  EXPECT_EQ(w.pads, (Ints{1, 1, 1, 1}));
}

TEST(Window, TakesOneNumberAnAxis) {
  const Window w = window({{"kernel_h", 3},
                           {"kernel_w", 2},
                           {"stride_h", 1},
                           {"stride_w", 2},
                           {"dilation_h", 2},
                           {"dilation_w", 1},
                           {"pad_t", 1},
                           {"pad_l", 2},
                           {"pad_b", 3},
                           {"pad_r", 4}});
  EXPECT_EQ(w.kernel, (Ints{3, 2}));
  EXPECT_EQ(w.stride, (Ints{1, 2}));
  EXPECT_EQ(w.dilation, (Ints{2, 1}));
  EXPECT_EQ(w.pads, (Ints{1, 2, 3, 4}));
}

TEST(Window, TakesListsForAnyNumberOfAxes) {
  const Window w = window({{"kernels", Ints{3}}, {"strides", Ints{2}}, {"pads", Ints{1, 0}}});
  EXPECT_EQ(w.kernel, (Ints{3}));
  EXPECT_EQ(w.stride, (Ints{2}));
  EXPECT_EQ(w.pads, (Ints{1, 0}));
}

TEST(Window, IgnoresNumbersOfSomeSidesOnly) {
  const Window w = window({{"kernel", 3}, {"pad_t", 1}, {"pad_l", 1}, {"stride_h", 2}});
  EXPECT_EQ(w.pads, (Ints{0, 0, 0, 0}));
  EXPECT_EQ(w.stride, (Ints{1, 1}));
}

TEST(Window, PadsAsTheArgumentsSay) {
  const WindowAxis a = window({{"kernel", 3}, {"stride", 2}, {"pads", Ints{1, 0, 2, 0}}}).along(0, 6);
  EXPECT_EQ(a.before, 1);
  EXPECT_EQ(a.windows, 4);  // from -1, 1, 3 and 5, to 7
  EXPECT_EQ(a.after, 2);
}

TEST(Window, SamePadsHalfOfWhatIsMissingInFront) {
  const Window w = window({{"kernel", 4}, {"stride", 2}, {"legacy_pad", 2}});
  EXPECT_EQ(w.along(0, 5).windows, 3);
  EXPECT_EQ(w.along(0, 5).before, 1);
  EXPECT_EQ(w.along(0, 5).after, 2);
}

TEST(Window, ValidTakesOnlyWholeWindows) {
  EXPECT_EQ(window({{"kernel", 3}, {"stride", 2}, {"legacy_pad", 1}}).along(0, 8).windows, 3);
}

TEST(Window, CaffeRoundsUpAndDropsAWindowThatBeginsInThePadding) {
  EXPECT_EQ(window({{"kernel", 3}, {"stride", 2}, {"legacy_pad", 3}}).along(0, 8).windows, 4);
  EXPECT_EQ(window({{"kernel", 2}, {"stride", 2}, {"pad", 1}, {"legacy_pad", 3}}).along(0, 7).windows, 4);
}

TEST(Window, RefusesArgumentsThatDoNotGoTogether) {
  const auto refused = [](const Args& args, const char* text) {
    EXPECT_ERROR(window(args), ErrorCode::kArgument, text);
  };
  refused({}, "expected argument 'kernel'");
  refused({{"kernel", 0}}, "argument 'kernels': expected 1 to 16777216, got 0");
  refused({{"kernel", 3}, {"stride", 0}}, "argument 'strides': expected 1 to");
  refused({{"kernel", 3}, {"dilation", std::int64_t{1} << 40}}, "argument 'dilations': expected 1 to");
  refused({{"kernel", 3}, {"strides", Ints{2}}}, "argument 'strides': expected 2 numbers, got 1");
  refused({{"kernel", 3}, {"pad", 1}, {"legacy_pad", 2}}, "expected no padding beside legacy_pad");
  refused({{"kernel", 3}, {"dilation", 2}, {"legacy_pad", 2}},
          "expected no dilation beside legacy_pad 2 or 3");
  refused({{"kernel", 3}, {"legacy_pad", 4}}, "argument 'legacy_pad': expected 0 to 3, got 4");
  refused({{"global_pooling", 1}, {"stride", 2}}, "beside global_pooling");
  refused({{"kernel", 3}, {"order", "CHWN"}}, "expected NCHW or NHWC");
}

TEST(Window, RefusesAnInputSmallerThanTheWindow) {
  EXPECT_ERROR(window({{"kernel", 5}, {"pad", 1}}).along(1, 2), ErrorCode::kShape,
               "expected at least 3 elements along spatial axis 1, got 2");
}

TEST(Window, OrdersAreViewsOfOneAnother) {
  const auto x = random({2, 3, 4, 5});
  const auto first = to_channels_first(x, StorageOrder::kNhwc);
  EXPECT_SHAPE(first, {2, 5, 3, 4});
  EXPECT_TRUE(first.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TENSOR_EQ(from_channels_first(first, StorageOrder::kNhwc), x);
}

}  // namespace
}  // namespace caffe2rt
