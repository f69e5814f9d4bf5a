// Cast: Y[i] = X[i] as another element type, as C++ converts: fractions are cut off, integers wrap.
//
// Source: the original's Cast. What does not fit the integer type, NaN too, becomes whatever the machine
// makes of it.
#include <array>
#include <cctype>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

struct DataType {
  std::int64_t number;  // in TensorProto
  const char* name;
  at::ScalarType type;
};
constexpr std::array kDataTypes = {
    DataType{1, "FLOAT", at::kFloat}, DataType{2, "INT32", at::kInt},   DataType{5, "BOOL", at::kBool},
    DataType{6, "UINT8", at::kByte},  DataType{7, "INT8", at::kChar},   DataType{8, "UINT16", at::kUInt16},
    DataType{9, "INT16", at::kShort}, DataType{10, "INT64", at::kLong}, DataType{13, "DOUBLE", at::kDouble}};

// The type that an argument names by number or, in either case, by word.
at::ScalarType read_type(const OperatorArgs& args, const char* name) {
  const Argument* arg = args.def().find(name);
  if (!arg) return at::kFloat;
  std::string word = arg->s.value_or("");
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
  const std::int64_t number = arg->s ? 0 : args.get(name, std::int64_t{0});
  for (const DataType& t : kDataTypes)
    if (arg->s ? word == t.name : number == t.number) return t.type;
  fail(ErrorCode::kArgument, "argument '{}': expected a TensorProto type of numbers, got {}", name,
       arg->s ? word : std::to_string(number));
}

class Cast final : public Operator {
 public:
  explicit Cast(const OperatorArgs& args) : to_(read_type(args, "to")) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = in[0].to(to_); }

 private:
  const at::ScalarType to_;
};

REGISTER_OPERATOR(Cast)
    .says("X as another element type.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "shape of X", infer::same_as(0))
    .arg("to", "a TensorProto type by number, or by name as in \"int32\"; default FLOAT")
    .arg("from_type", "not used: X knows its type")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
