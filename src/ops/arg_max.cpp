// ArgMax, ArgMin: where the largest or smallest element along an axis of X lies.
//
// Source: the original's ArgMax and ArgMin: of equal elements the first counts, and of no elements number 0.
// What is not a number is the largest and the smallest here; there it depends on its place.
#include <ATen/ops/argmax.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/zeros.h>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Function = at::Tensor (*)(const at::Tensor&, std::optional<std::int64_t> axis, bool keep);

class Arg final : public Operator {
 public:
  Arg(const OperatorArgs& args, Function function)
      : function_(function), axis_(args.get("axis", std::int64_t{-1})), keep_(args.get("keepdims", true)) {
    require(axis_ >= -1, ErrorCode::kArgument, "argument 'axis': expected -1 or more, got {}", axis_);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[0]) return std::nullopt;
    std::vector<std::int64_t> y = *in[0];
    const std::int64_t axis = canonical_axis(axis_, static_cast<std::int64_t>(y.size()));
    if (keep_)
      y[axis] = 1;
    else
      y.erase(y.begin() + axis);
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[0];
    const auto y_shape = *shape(shapes_of(in));
    out[0] = x.numel() == 0 ? at::zeros(y_shape, x.options().dtype(at::kLong))
                            : function_(x, canonical_axis(axis_, x.dim()), keep_);
  }

 private:
  const Function function_;
  const std::int64_t axis_;
  const bool keep_;
};

SchemaBuilder describe(const char* type, const char* which, Function function) {
  SchemaBuilder schema(
      type, [function](const OperatorArgs& args) { return std::make_unique<Arg>(args, function); });
  schema.says(std::string("Where the ") + which + " element along an axis lies.")
      .input("X", "1 dimension or more", Types::kNumber)
      .output("Y", "int64; X's shape with 1 in place of the axis, or without it", infer::by(&Arg::shape))
      .arg("axis", "default -1: the last")
      .arg("keepdims", "1 (default): the axis stays, of size 1; 0: it goes");
  return schema;
}

const Registered arg_max(describe("ArgMax", "largest", at::argmax));
const Registered arg_min(describe("ArgMin", "smallest", at::argmin));

}  // namespace
}  // namespace caffe2rt
