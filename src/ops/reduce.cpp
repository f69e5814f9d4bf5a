// Y = X reduced over some of its dimensions, one row a function: ReduceMean, ReduceSum, ReduceMax, ReduceMin,
// ReduceL1, ReduceL2.
//
// Source: the original's Reduce operators. What is reduced over nothing is 0, for ReduceMax the type's lowest
// number and for ReduceMin its largest.
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sum.h>

#include <limits>
#include <numeric>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;
using Function = at::Tensor (*)(const at::Tensor& x, at::IntArrayRef axes);

template <class Select>
at::Scalar bound(at::ScalarType type, Select select) {
  switch (type) {
    case at::kInt:
      return select(std::numeric_limits<std::int32_t>());
    case at::kLong:
      return select(std::numeric_limits<std::int64_t>());
    case at::kDouble:
      return select(std::numeric_limits<double>());
    default:
      return select(std::numeric_limits<float>());
  }
}

struct Row {
  const char* type;
  const char* says;
  Function function;  // keeps the dimensions
  at::Scalar (*of_nothing)(at::ScalarType);
  Types types;
};

at::Scalar zero(at::ScalarType /*type*/) { return 0; }
at::Scalar lowest(at::ScalarType type) {
  return bound(type, [](auto limits) -> at::Scalar { return limits.lowest(); });
}
at::Scalar highest(at::ScalarType type) {
  return bound(type, [](auto limits) -> at::Scalar { return limits.max(); });
}

template <int power>
at::Tensor norm(const at::Tensor& x, at::IntArrayRef axes) {
  return at::linalg_vector_norm(x, power, axes, true);
}

const Row kRows[] = {
    {"ReduceMean", "Mean", [](const at::Tensor& x, at::IntArrayRef axes) { return at::mean(x, axes, true); },
     zero, Types::kFloat},
    {"ReduceSum", "Sum",
     [](const at::Tensor& x, at::IntArrayRef axes) { return at::sum(x, axes, true, x.scalar_type()); }, zero,
     Types::kNumber},
    {"ReduceMax", "Largest element",
     [](const at::Tensor& x, at::IntArrayRef axes) { return at::amax(x, axes, true); }, lowest,
     Types::kNumber},
    {"ReduceMin", "Smallest element",
     [](const at::Tensor& x, at::IntArrayRef axes) { return at::amin(x, axes, true); }, highest,
     Types::kNumber},
    {"ReduceL1", "Sum of the absolute values", norm<1>, zero, Types::kFloat},
    {"ReduceL2", "Square root of the sum of squares", norm<2>, zero, Types::kFloat},
};

class Reduce final : public Operator {
 public:
  Reduce(const OperatorArgs& args, const Row& row)
      : row_(row), axes_(args.ints("axes")), keep_(args.get("keepdims", true)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[0];
    const Shape axes = axes_of(x.dim());
    const Shape shape = reduced(x.sizes().vec(), axes);
    if (x.numel() == 0)
      out[0] = at::full(shape, row_.of_nothing(x.scalar_type()), x.options());
    else if (axes.empty())
      out[0] = row_.function(x.reshape(1), 0).reshape(shape);  // a scalar
    else
      out[0] = row_.function(x, axes).reshape(shape);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[0]) return std::nullopt;
    return reduced(*in[0], axes_of(static_cast<std::int64_t>(in[0]->size())));
  }

 private:
  Shape axes_of(std::int64_t rank) const {
    if (!axes_.empty()) return canonical_axes(axes_, rank);
    Shape all(rank);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  Shape reduced(Shape shape, const Shape& axes) const {
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
      shape[*axis] = 1;
      if (!keep_) shape.erase(shape.begin() + *axis);
    }
    return shape;
  }

  const Row& row_;
  const Shape axes_;
  const bool keep_;
};

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows)
    Registered(SchemaBuilder(row.type,
                             [&row](const OperatorArgs& args) { return std::make_unique<Reduce>(args, row); })
                   .says(std::string(row.says) + " of X over some of its dimensions.")
                   .input("X", "any shape", row.types)
                   .output("Y", "X's shape with 1 in place of the dimensions, or without them",
                           infer::by(&Reduce::shape))
                   .arg("axes", "the dimensions to reduce, negative from the back; default: all")
                   .arg("keepdims", "1 (default): they stay, of size 1; 0: they go")
                   .runs_on_any_device());
  return true;
}();

}  // namespace
}  // namespace caffe2rt
