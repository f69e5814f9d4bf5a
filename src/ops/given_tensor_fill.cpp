// GivenTensorFill and its kin: Y holds the numbers of the argument `values` in row-major order. They are what
// weights are stored as. Source: Caffe2's GivenTensorFill and GivenTensorByteStringToUInt8Fill.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <climits>

#include "ops/fill_shape.h"

namespace caffe2rt {
namespace {

// As TensorProto numbers them.
enum DataType { kFloat = 1, kInt32 = 2, kString = 4, kBool = 5, kInt64 = 10, kDouble = 13 };

template <class To, class From>
at::Tensor flat(const std::vector<From>& from, at::ScalarType type) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(from.size())}, type);
  std::transform(from.begin(), from.end(), t.mutable_data_ptr<To>(),
                 [](From v) { return static_cast<To>(v); });
  return t;
}

// The very numbers of the argument.
at::Tensor shared(const SharedFloats& floats) {
  auto numbers = floats.share();
  auto* data = const_cast<float*>(numbers->data());  // blobs are never written
  const auto count = static_cast<std::int64_t>(numbers->size());
  return at::from_blob(
      data, {count}, [numbers = std::move(numbers)](void*) {}, at::kFloat);
}

at::Tensor flat_int32(const std::vector<std::int64_t>& from) {
  for (const auto v : from)
    require(v >= INT_MIN && v <= INT_MAX, ErrorCode::kArgument, "argument 'values': expected int32, got {}",
            v);
  return flat<std::int32_t>(from, at::kInt);
}

// One row a string, as long as the longest of them, shorter ones filled up with zeros.
at::Tensor rows(const std::vector<std::string>& strings) {
  size_t longest = 0;
  for (const auto& s : strings) longest = std::max(longest, s.size());
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(strings.size()),
                                           static_cast<std::int64_t>(longest)};
  element_count(shape);
  at::Tensor t = at::empty(shape, at::kByte).zero_();
  auto* row = t.mutable_data_ptr<std::uint8_t>();
  for (size_t i = 0; i < strings.size(); i++)
    std::copy(strings[i].begin(), strings[i].end(), row + i * longest);
  return t;
}

// The values along the first axis. Weights are large: they are read where they lie, without a copy in
// between.
at::Tensor read_values(const OperatorArgs& args, int data_type) {
  static const Argument kNone;
  const Argument* given = args.def().find("values");
  const Argument& values = given ? *given : kNone;
  const bool integers = data_type == kInt32 || data_type == kBool || data_type == kInt64;
  require(data_type == kString || values.strings.empty(), ErrorCode::kArgument,
          "argument 'values': expected numbers");
  require(!integers || values.floats.empty(), ErrorCode::kArgument, "argument 'values': expected integers");
  switch (data_type) {
    case kFloat:
      return values.floats.empty() ? flat<float>(values.ints, at::kFloat) : shared(values.floats);
    case kDouble:
      return values.floats.empty() ? flat<double>(values.ints, at::kDouble)
                                   : flat<double>(values.floats.values(), at::kDouble);
    case kInt32:
      return flat_int32(values.ints);
    case kInt64:
      return flat<std::int64_t>(values.ints, at::kLong);
    case kBool:
      return flat<bool>(values.ints, at::kBool);
    case kString:
      return rows(values.strings);
    default:
      fail(ErrorCode::kUnsupported,
           "argument 'dtype': expected 1 (float), 2 (int32), 4 (string), 5 (bool), 10 (int64) or 13 "
           "(double), got {}",
           data_type);
  }
}

// Every run hands out the same tensor: blobs are never written.
class GivenTensor : public Operator {
 public:
  PartialShape shape(PartialShapes in) const {
    PartialShape shape = shape_.infer(in);
    if (shape) shape->insert(shape->end(), values_.sizes().begin() + 1, values_.sizes().end());
    return shape;
  }

  void run(const Inputs& in, Outputs& out) const override {
    auto shape = shape_.of(in);
    const std::int64_t count = element_count(shape);
    check_count(shape);
    shape.insert(shape.end(), values_.sizes().begin() + 1, values_.sizes().end());
    out[0] = values_.narrow(0, 0, count).view(shape);
  }

 protected:
  // `spare`: there may be more values than the shape has room for.
  GivenTensor(const OperatorArgs& args, const at::Tensor& values, bool spare = false)
      : shape_(args), values_(values.to(args.device())), spare_(spare) {
    if (shape_.fixed()) check_count(*shape_.fixed());
  }

 private:
  void check_count(const std::vector<std::int64_t>& shape) const {
    const std::int64_t expected = element_count(shape), got = values_.size(0);
    require(got == expected || (spare_ && got > expected), ErrorCode::kShape,
            "argument 'values': expected {} for shape {}, got {}", expected,
            to_string(std::span<const std::int64_t>(shape)), got);
  }

  const FillShape shape_;
  const at::Tensor values_;
  const bool spare_;
};

class GivenTensorFill final : public GivenTensor {
 public:
  explicit GivenTensorFill(const OperatorArgs& args)
      : GivenTensor(args, read_values(args, args.get("dtype", int{kFloat}))) {}
};

template <DataType type>
class TypedGivenTensorFill final : public GivenTensor {
 public:
  explicit TypedGivenTensorFill(const OperatorArgs& args) : GivenTensor(args, read_values(args, type)) {}
};

class GivenTensorByteStringToUInt8Fill final : public GivenTensor {
 public:
  explicit GivenTensorByteStringToUInt8Fill(const OperatorArgs& args)
      : GivenTensor(args, rows(args.strings("values")).flatten(), /*spare=*/true) {
    const size_t count = args.strings("values").size();
    require(count == 1, ErrorCode::kArgument, "argument 'values': expected 1 string, got {}", count);
  }
};

SchemaBuilder fill(SchemaBuilder builder, const char* doc, const char* values) {
  builder.says(doc)
      .optional_input("input", FillShape::kInputDoc, Types::kAny)
      .output("Y", doc, infer::by(&GivenTensor::shape))
      .args(FillShape::documentation())
      .arg("values", values);
  return builder;
}

template <class Op>
SchemaBuilder describe(const char* type, const char* doc,
                       const char* values = "as many numbers as Y has elements") {
  return fill(describe_operator<Op>(type), doc, values);
}

const Registered kFills[] = {
    describe<GivenTensorFill>("GivenTensorFill", "A tensor of given numbers: float32, or what `dtype` says.")
        .arg("dtype",
             "TensorProto.DataType: 1 float32 (default), 2 int32, 4 string, 5 bool, 10 int64, 13 float64"),
    describe<TypedGivenTensorFill<kInt32>>("GivenTensorIntFill", "An int32 tensor of given numbers."),
    describe<TypedGivenTensorFill<kInt64>>("GivenTensorInt64Fill", "An int64 tensor of given numbers."),
    describe<TypedGivenTensorFill<kBool>>("GivenTensorBoolFill",
                                          "A bool tensor of given numbers, true where not 0."),
    describe<TypedGivenTensorFill<kDouble>>("GivenTensorDoubleFill", "A float64 tensor of given numbers."),
    describe<TypedGivenTensorFill<kString>>(
        "GivenTensorStringFill",
        "Given strings. There are no tensors of strings here: Y is uint8 with one dimension more than "
        "`shape` says, as "
        "long as the longest string; shorter ones are filled up with zeros.",
        "as many strings as `shape` has elements"),
    describe<GivenTensorByteStringToUInt8Fill>("GivenTensorByteStringToUInt8Fill",
                                               "A uint8 tensor of given bytes.",
                                               "one string of as many bytes as Y has elements, or more"),
};

}  // namespace
}  // namespace caffe2rt
