// Where, Conditional: Y[i] = X[i] where the condition holds, else Z[i].
//
// Source: the original's Where, whose condition has the shape of X or, with broadcast_on_rows, one element a
// row; and its Conditional, which always has the latter.
#include <ATen/ops/where.h>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Where final : public Operator {
 public:
  enum Input { kCondition, kX, kZ };

  Where(const OperatorArgs& args, bool conditional)
      : by_rows_(conditional || args.get("broadcast_on_rows", false)) {}

  PartialShape shape(PartialShapes in) const {
    const PartialShape &condition = in[kCondition], &x = in[kX];
    require_compatible("input 2 'Z'", in[kZ], x);
    if (!by_rows_) {
      require_compatible("input 0 'condition'", condition, x);
      return x;
    }
    require(!x || !x->empty(), ErrorCode::kShape, "input 1 'X': expected at least 1 dimension, got ()");
    require_compatible("input 0 'condition'", condition, {{dim_or_unknown(x, 0)}});
    return x;
  }

  void run(const Inputs& in, Outputs& out) const override {
    shape(shapes_of(in));
    const at::Tensor &x = in[kX], &z = in[kZ];
    require(x.scalar_type() == z.scalar_type(), ErrorCode::kType, "{}: expected {}, got {}", in.describe(kZ),
            c10::toString(x.scalar_type()), c10::toString(z.scalar_type()));
    std::vector<std::int64_t> rows(static_cast<size_t>(x.dim()), 1);
    if (by_rows_) rows[0] = x.size(0);
    out[0] = at::where(by_rows_ ? in[kCondition].reshape(rows) : in[kCondition], x, z);
  }

 private:
  const bool by_rows_;
};

SchemaBuilder describe(const char* type, bool conditional) {
  SchemaBuilder schema(
      type, [conditional](const OperatorArgs& args) { return std::make_unique<Where>(args, conditional); });
  schema.says("X where a condition holds, else Z.")
      .input("condition", conditional ? "(N) bool" : "shape of X, bool; (N) with broadcast_on_rows",
             Types::kBool)
      .input("X", "(N,...) any type", Types::kAny)
      .input("Z", "shape and type of X", Types::kAny)
      .output("Y", "shape and type of X", infer::by(&Where::shape));
  if (!conditional) schema.arg("broadcast_on_rows", "1: the condition has one element a row of X");
  return schema;
}

const Registered where(describe("Where", false));
const Registered conditional(describe("Conditional", true));

}  // namespace
}  // namespace caffe2rt
