#include "ops/activation.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

ActivationFormat format_of(const Encoding& encoding) {
  OperatorDef def;
  ActivationFormat::set(def, "caffe2rt.y", encoding);
  return {OperatorArgs(def, c10::DeviceType::CPU), "caffe2rt.y"};
}

const Encoding kEncodings[] = {{}, {.format = Format::kBfloat16}, {Format::kUint8, 0.25F, 3}};

TEST(Activation, HasMemoryForItsFormat) {
  for (const Encoding& encoding : kEncodings) {
    const ActivationFormat format = format_of(encoding);
    at::Tensor y = format.empty({2, 3, 4, 5});
    EXPECT_SHAPE(y, {2, 3, 4, 5});
    EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_EQ(y.itemsize(), size_of(encoding.format));
    EXPECT_EQ(format.source(y).encoding, encoding);
    EXPECT_EQ(format.target(y).encoding, encoding);
    EXPECT_EQ(format.target(y).data, format.source(y).data);
  }
}

TEST(Activation, BecomesFloatsAndComesBack) {
  const at::Tensor floats = (random({1, 3, 2, 2}) * 10).contiguous(at::MemoryFormat::ChannelsLast);
  for (const Encoding& encoding : kEncodings) {
    const ActivationFormat format = format_of(encoding);
    at::Tensor y = format.empty(floats.sizes());
    for (std::int64_t i = 0; i < y.numel(); i++) format.target(y).set(i, floats.const_data_ptr<float>()[i]);
    EXPECT_TENSOR_EQ(y, format.from_floats(floats));
    const at::Tensor back = format.to_floats(y);
    for (std::int64_t i = 0; i < y.numel(); i++)
      EXPECT_EQ(back.const_data_ptr<float>()[i], format.source(y)[i]);
  }
}

TEST(Activation, IsFloatWhereNothingElseIsSaid) {
  EXPECT_EQ(ActivationFormat().empty({1, 1, 1, 1}).scalar_type(), at::kFloat);
}

TEST(Activation, RefusesWhatIsInAnotherFormat) {
  EXPECT_ERROR(ActivationFormat().source(format_of(kEncodings[2]).empty({1, 1, 1, 1})), ErrorCode::kType,
               "expected an activation of Float, got one of Byte");
}

TEST(Activation, RefusesAFormatThatIsNone) {
  EXPECT_ERROR(format_of({static_cast<Format>(3)}), ErrorCode::kArgument,
               "argument 'caffe2rt.y_format': expected 0, 1 or 2, got 3");
  EXPECT_ERROR(format_of({Format::kUint8, 0.0F, 0}), ErrorCode::kArgument,
               "argument 'caffe2rt.y_unit': expected a positive number, got 0");
  EXPECT_ERROR(format_of({Format::kUint8, 1.0F, 256}), ErrorCode::kArgument,
               "argument 'caffe2rt.y_zero': expected 0 to 255, got 256");
}

}  // namespace
}  // namespace caffe2rt
