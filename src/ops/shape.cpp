// Shape: Y = the sizes of X.
//
// Source: the original's Shape.
#include <ATen/ops/tensor.h>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class ShapeOperator final : public Operator {
 public:
  explicit ShapeOperator(const OperatorArgs& args) : axes_(args.ints("axes")) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[0];
    std::vector<std::int64_t> sizes;
    for (const auto axis : axes_) sizes.push_back(x.size(canonical_axis(axis, x.dim())));
    if (axes_.empty()) sizes = x.sizes().vec();
    out[0] = at::tensor(sizes);
  }

  PartialShape shape(PartialShapes in) const {
    if (!axes_.empty()) return vector_shape(axes_.size());
    return in[0] ? vector_shape(in[0]->size()) : std::nullopt;
  }

 private:
  const std::vector<std::int64_t> axes_;
};

REGISTER_OPERATOR_AS("Shape", ShapeOperator)
    .says("The sizes of X.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "(rank of X, or number of axes) int64", infer::by(&ShapeOperator::shape))
    .arg("axes", "the dimensions to give; default: all");

}  // namespace
}  // namespace caffe2rt
