// SumElements, SumElementsInt: Y = the sum of all elements of X. SumSqrElements: of their squares.
//
// Source: the original's operators. Over nothing the sum and the mean are 0; SumElementsInt knows no mean.
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>

#include "ops/types.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class SumElements final : public Operator {
 public:
  SumElements(const OperatorArgs& args, bool squares, bool averages)
      : squares_(squares), average_(averages && args.get("average", false)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[0];
    out[0] = at::sum(squares_ ? at::square(x) : x, x.scalar_type());
    if (average_ && x.numel() > 0) out[0].div_(x.numel());
  }

 private:
  const bool squares_, average_;
};

SchemaBuilder describe(const char* type, const char* says, Types types, bool squares, bool averages) {
  SchemaBuilder schema(type, [squares, averages](const OperatorArgs& args) {
    return std::make_unique<SumElements>(args, squares, averages);
  });
  schema.says(says).input("X", "any shape", types).output("Y", "() type of X", infer::fixed({}));
  if (averages) schema.arg("average", "1: divided by the number of elements");
  return schema;
}

const Registered sum_elements(describe("SumElements", "Sum of all elements.", Types::kFloat, false, true));
const Registered sum_elements_int(describe("SumElementsInt", "Sum of all integers.", Types::kIndex, false,
                                           false));
const Registered sum_sqr_elements(describe("SumSqrElements", "Sum of the squares of all elements.",
                                           Types::kFloat | Types::kDouble, true, true));

}  // namespace
}  // namespace caffe2rt
