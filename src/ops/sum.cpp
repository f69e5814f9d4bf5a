// Y[i] = f(X0[i], X1[i], ...) for tensors of one shape: Sum, Mean, Max and Min, one row a function.
//
// Source: the original's n-ary operators, which add in the order of the inputs and do not broadcast.
#include <ATen/ops/add.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Function = at::Tensor (*)(const Inputs&);

class Nary final : public Operator {
 public:
  explicit Nary(Function function) : function_(function) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto shape = in[0].sizes();
    for (size_t i = 1; i < in.size(); i++) {
      require_shape(in, i, std::span(shape.data(), shape.size()));
      require(in[i].scalar_type() == in[0].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
              in.describe(i), c10::toString(in[0].scalar_type()), c10::toString(in[i].scalar_type()));
    }
    out[0] = function_(in);
  }

  PartialShape shape(PartialShapes in) const {
    for (size_t i = 1; i < in.size(); i++)
      require(compatible(in[0], in[i]), ErrorCode::kShape, "input {}: expected {}, got {}", i,
              to_string(in[0]), to_string(in[i]));
    return in[0];
  }

 private:
  const Function function_;
};

at::Tensor sum(const Inputs& in) {
  if (in.size() == 1) return in[0];
  at::Tensor y = at::add(in[0], in[1]);
  for (size_t i = 2; i < in.size(); i++) y.add_(in[i]);
  return y;
}

at::Tensor mean(const Inputs& in) {
  return in.size() == 1 ? in[0] : sum(in).mul_(1.F / static_cast<float>(in.size()));
}

template <at::Tensor (*choose)(const at::Tensor&, const at::Tensor&)>
at::Tensor extreme(const Inputs& in) {
  at::Tensor y = in[0];
  for (size_t i = 1; i < in.size(); i++) y = choose(y, in[i]);
  return y;
}

struct Row {
  const char* type;
  const char* says;
  Function function;
  Types types;
};

const Row kRows[] = {
    {"Sum", "The sum of all inputs", sum, Types::kNumber},
    {"Mean", "The mean of all inputs", mean, Types::kFloat},
    {"Max", "The largest of all inputs, element by element", extreme<at::maximum>, Types::kNumber},
    {"Min", "The smallest of all inputs, element by element", extreme<at::minimum>, Types::kNumber},
};

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows)
    Registered(
        SchemaBuilder(row.type, [f = row.function](const OperatorArgs&) { return std::make_unique<Nary>(f); })
            .says(row.says)
            .inputs("X", "one shape and type", row.types)
            .output("Y", "shape of the inputs", infer::by(&Nary::shape))
            .runs_on_any_device());
  return true;
}();

}  // namespace
}  // namespace caffe2rt
