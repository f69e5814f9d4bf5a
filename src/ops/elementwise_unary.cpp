// Y[i] = f(X[i]), one row a function; and the operators that hand X on as it is.
//
// Source: the original's unary functors. LeakyRelu of NaN is NaN here; there it depends on the element's
// place in the tensor.
#include <ATen/ops/abs.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sqrt.h>
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
    const auto any = row.types == Types::kAny ? "any shape, any type" : "any shape";
    Registered(schema.says(row.says)
                   .input("X", any, row.types)
                   .output("Y", "shape and type of X", infer::same_as(0)));
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
    .arg("alpha", "slope below zero, default 0.01");

}  // namespace
}  // namespace caffe2rt
