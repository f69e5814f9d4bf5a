// ConstantFill: Y[...] = value. Source: Caffe2's ConstantFill.
#include <ATen/ops/full.h>

#include <limits>

#include "ops/fill_shape.h"

namespace caffe2rt {
namespace {

// TensorProto.DataType; `most` and `least` bound the integers.
struct DataType {
  int number;
  at::ScalarType type;
  std::int64_t least, most;
};
template <class T>
constexpr DataType integer(int number, at::ScalarType type) {
  return {number, type, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}
constexpr DataType kDataTypes[] = {
    {1, at::kFloat, 0, 0},
    integer<std::int32_t>(2, at::kInt),
    integer<bool>(5, at::kBool),
    integer<std::uint8_t>(6, at::kByte),
    integer<std::int8_t>(7, at::kChar),
    integer<std::int16_t>(9, at::kShort),
    integer<std::int64_t>(10, at::kLong),
    {13, at::kDouble, 0, 0},
};

class ConstantFill final : public Operator {
 public:
  explicit ConstantFill(const OperatorArgs& args) : shape_(args), device_(args.device()) {
    const Argument* value = args.def().find("value");
    const int number = args.get("dtype", value && value->i ? 10 : 1);
    const auto* found = std::find_if(std::begin(kDataTypes), std::end(kDataTypes),
                                     [&](const DataType& t) { return t.number == number; });
    require(found != std::end(kDataTypes), ErrorCode::kUnsupported,
            "argument 'dtype': expected a number type (1 float, 2 int32, 5 bool, 6 uint8, 7 int8, 9 int16, "
            "10 int64, "
            "13 double), got {}",
            number);
    type_ = found->type;
    if (at::isFloatingType(type_)) {
      value_ = args.get("value", 0.0F);
      return;
    }
    const std::int64_t integer = args.get("value", std::int64_t{0});
    require(integer >= found->least && integer <= found->most, ErrorCode::kArgument,
            "argument 'value': expected {} to {}, got {}", found->least, found->most, integer);
    value_ = integer;
  }

  PartialShape shape(PartialShapes in) const { return shape_.infer(in); }

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = at::full(shape_.of(in), value_, at::TensorOptions(type_).device(device_));
  }

 private:
  const FillShape shape_;
  const c10::Device device_;
  at::ScalarType type_;
  at::Scalar value_;
};

REGISTER_OPERATOR(ConstantFill)
    .says("Makes a tensor that holds one value everywhere.")
    .optional_input("input", FillShape::kInputDoc, Types::kAny)
    .output("Y", "of type `dtype`", infer::by(&ConstantFill::shape))
    .args(FillShape::documentation())
    .arg("value", "default 0")
    .arg("dtype",
         "a TensorProto.DataType; default: int64 where the value is written as an integer, else float32");

}  // namespace
}  // namespace caffe2rt
