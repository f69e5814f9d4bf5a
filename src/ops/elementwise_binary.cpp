// C[i] = f(A[i], B[i]) with B, or both, repeated to fit; one row a function.
//
// Source: the original's binary functors and its two rules of broadcasting (ops/broadcast.h).
#include <ATen/ops/add.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_or.h>
#include <ATen/ops/bitwise_xor.h>
#include <ATen/ops/div.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/le.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/logical_xor.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/sub.h>

#include "ops/broadcast.h"
#include "ops/types.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Function = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

class Binary final : public Operator {
 public:
  Binary(const OperatorArgs& args, Function function) : function_(function), broadcast_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor &a = in[0], &b = in[1];
    require(a.scalar_type() == b.scalar_type(), ErrorCode::kType,
            "expected inputs of one type, got {} and {}", c10::toString(a.scalar_type()),
            c10::toString(b.scalar_type()));
    out[0] = function_(a, broadcast_.fit(a, b));
  }

  PartialShape shape(PartialShapes in) const { return broadcast_.shape(in[0], in[1]); }

 private:
  const Function function_;
  const Broadcast broadcast_;
};

at::Tensor divide(const at::Tensor& a, const at::Tensor& b) {
  return at::isFloatingType(a.scalar_type()) ? at::div(a, b) : at::div(a, b, "trunc");
}

struct Row {
  const char* type;
  const char* says;
  Function function;
  Types types;
};

constexpr Types kComparable = Types::kNumber | Types::kBool, kBits = Types::kIndex | Types::kBool;

const Row kRows[] = {
    {"Add", "A + B", [](const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }, Types::kNumber},
    {"Sub", "A - B", [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); }, Types::kNumber},
    {"Mul", "A * B", [](const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); }, Types::kNumber},
    {"Div", "A / B, integers rounded towards zero", divide, Types::kNumber},
    {"EQ", "A == B", at::eq, kComparable},
    {"NE", "A != B", at::ne, kComparable},
    {"LT", "A < B", at::lt, kComparable},
    {"LE", "A <= B", at::le, kComparable},
    {"GT", "A > B", at::gt, kComparable},
    {"GE", "A >= B", at::ge, kComparable},
    {"And", "A and B", at::logical_and, Types::kBool},
    {"Or", "A or B", at::logical_or, Types::kBool},
    {"Xor", "Either A or B", at::logical_xor, Types::kBool},
    {"BitwiseAnd", "A & B, bit by bit", at::bitwise_and, kBits},
    {"BitwiseOr", "A | B, bit by bit", at::bitwise_or, kBits},
    {"BitwiseXor", "A ^ B, bit by bit", at::bitwise_xor, kBits},
};

const char* names_of(Types types) {
  if (types == Types::kNumber) return "any shape: float32, float64, int32 or int64";
  if (types == kComparable) return "any shape: float32, float64, int32, int64 or bool";
  return types == kBits ? "any shape: int32, int64 or bool" : "any shape: bool";
}

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows) {
    const bool decides = row.types == kComparable || row.types == Types::kBool;
    const std::string type = decides ? "bool" : "type of A";
    Registered(SchemaBuilder(
                   row.type,
                   [f = row.function](const OperatorArgs& args) { return std::make_unique<Binary>(args, f); })
                   .says(row.says)
                   .input("A", names_of(row.types), row.types)
                   .input("B", "type of A; a shape that can be repeated to fit", row.types)
                   .output("C", type + "; A's shape with broadcast=1, else as numpy broadcasts",
                           infer::by(&Binary::shape))
                   .args(Broadcast::documentation())
                   .runs_on_any_device());
  }
  return true;
}();

}  // namespace
}  // namespace caffe2rt
