// Y[i] = f(X[i]), one row a function; and the operators that hand X on as it is.
//
// Source: the original's unary functors. LeakyRelu of NaN is NaN here; there it depends on the element's
// place in the tensor. Softplus of a large number is the number itself; there it ends at 88.7.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/acos.h>
#include <ATen/ops/asin.h>
#include <ATen/ops/atan.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cosh.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sinh.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/tan.h>
#include <ATen/ops/tanh.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Function = at::Tensor (*)(const at::Tensor&);

class Unary final : public Operator {
 public:
  explicit Unary(Function function) : function_(function) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = function_(in[0]); }

 private:
  const Function function_;
};

struct Row {
  const char* type;
  const char* says;
  Function function;
  Types types = Types::kFloat;
};

// Blobs are never written, so handing on the tensor itself is a copy.
at::Tensor same(const at::Tensor& x) { return x; }

at::Tensor softsign(const at::Tensor& x) { return x / (at::abs(x) + 1); }
at::Tensor softplus(const at::Tensor& x) { return at::softplus(x); }
at::Tensor cube(const at::Tensor& x) { return x * x * x; }
at::Tensor cube_root(const at::Tensor& x) { return at::sign(x) * at::pow(at::abs(x), 1.0 / 3); }

const Row kRows[] = {
    {"Sigmoid", "1 / (1 + exp(-X))", at::sigmoid},
    {"Tanh", "tanh(X)", at::tanh},
    {"Abs", "|X|", at::abs},
    {"Negative", "-X", at::neg, Types::kNumber},
    {"Sqrt", "Square root of X", at::sqrt},
    {"Exp", "e to the X", at::exp},
    {"Log", "Natural logarithm of X", at::log},
    {"Floor", "The largest whole number <= X", at::floor},
    {"Ceil", "The smallest whole number >= X", at::ceil},
    {"Sqr", "X * X", at::square},
    {"Cube", "X * X * X", cube, Types::kNumber},
    {"Cbrt", "Cube root of X", cube_root},
    {"Rsqrt", "1 / square root of X", at::rsqrt},
    {"Reciprocal", "1 / X", at::reciprocal},
    {"Sign", "-1, 0 or 1, as X is below, at or above zero", at::sign, Types::kNumber},
    {"Sin", "Sine of X", at::sin},
    {"Cos", "Cosine of X", at::cos},
    {"Tan", "Tangent of X", at::tan},
    {"Asin", "Inverse sine of X", at::asin},
    {"Acos", "Inverse cosine of X", at::acos},
    {"Atan", "Inverse tangent of X", at::atan},
    {"Sinh", "Hyperbolic sine of X", at::sinh},
    {"Cosh", "Hyperbolic cosine of X", at::cosh},
    {"Erf", "Error function of X", at::erf},
    {"Swish", "X / (1 + exp(-X))", at::silu},
    {"Softplus", "log(1 + exp(X))", softplus},
    {"Softsign", "X / (1 + |X|)", softsign},
    {"Not", "Not X", at::logical_not, Types::kBool},
    {"Copy", "X", same, Types::kAny},
    {"CopyCPUToGPU", "X: a net runs on one device", same, Types::kAny},
    {"CopyGPUToCPU", "X: a net runs on one device", same, Types::kAny},
    {"CopyFromCPUInput", "X: a net runs on one device", same, Types::kAny},
    {"EnsureCPUOutput", "X: a net runs on one device", same, Types::kAny},
    {"EnsureDense", "X: there are no sparse blobs", same, Types::kAny},
    {"StopGradient", "X", same, Types::kAny},
    {"Alias", "X under another name", same, Types::kAny},
    {"AliasWithName", "X under another name", same, Types::kAny},
};

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows) {
    SchemaBuilder schema(row.type,
                         [f = row.function](const OperatorArgs&) { return std::make_unique<Unary>(f); });
    const auto any = row.types == Types::kAny    ? "any shape, any type"
                     : row.types == Types::kBool ? "any shape, bool"
                                                 : "any shape";
    Registered(schema.says(row.says)
                   .input("X", any, row.types)
                   .output("Y", "shape and type of X", infer::same_as(0))
                   .runs_on_any_device());
  }
  return true;
}();

class LeakyRelu final : public Operator {
 public:
  explicit LeakyRelu(const OperatorArgs& args) : alpha_(args.get("alpha", 0.01F)) {}
  void run(const Inputs& in, Outputs& out) const override { out[0] = at::leaky_relu(in[0], alpha_); }

 private:
  const float alpha_;
};

REGISTER_OPERATOR(LeakyRelu)
    .says("X where it is positive, else alpha * X")
    .input("X", "any shape, float32")
    .output("Y", "shape of X", infer::same_as(0))
    .arg("alpha", "slope below zero, default 0.01")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
