// ReduceFrontSum, ReduceFrontMean, ReduceFrontMax: Y = X reduced over its first dimensions. ReduceBackSum,
// ReduceBackMean, ReduceBackMax: over its last ones.
//
// Source: the original's operators of these names. What is reduced over nothing is 0. With `lengths` only the
// first so many elements along the one dimension count: a length of 0 reads one element all the same, and
// then a mean divides by 0.
#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/div.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

enum class Kind { kSum, kMean, kMax };

struct Row {
  const char* type;
  const char* says;
  Kind kind;
  bool front;
};

const Row kRows[] = {
    {"ReduceFrontSum", "Sum of X over its first dimensions.", Kind::kSum, true},
    {"ReduceFrontMean", "Mean of X over its first dimensions.", Kind::kMean, true},
    {"ReduceFrontMax", "Largest element of X over its first dimensions.", Kind::kMax, true},
    {"ReduceBackSum", "Sum of X over its last dimensions.", Kind::kSum, false},
    {"ReduceBackMean", "Mean of X over its last dimensions.", Kind::kMean, false},
    {"ReduceBackMax", "Largest element of X over its last dimensions.", Kind::kMax, false},
};

class ReduceEnd final : public Operator {
 public:
  enum Input { kX, kLengths };

  ReduceEnd(const OperatorArgs& args, const Row& row)
      : row_(row), dims_(args.get("num_reduce_dim", std::int64_t{1})) {
    require(dims_ >= 0, ErrorCode::kArgument, "argument 'num_reduce_dim': expected 0 or more, got {}", dims_);
    require(args.num_inputs() == 1 || dims_ == 1, ErrorCode::kArgument,
            "argument 'num_reduce_dim': expected 1 beside lengths, got {}", dims_);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    const Shape& x = *in[kX];
    const auto y = kept(x);
    if (in.size() > kLengths && in[kLengths])
      require(compatible({{product(*in[kLengths])}}, {{product(y)}}), ErrorCode::kShape,
              "input 1 'lengths': expected {} elements, got {}", product(y), to_string(in[kLengths]));
    return Shape(y.begin(), y.end());
  }

  void run(const Inputs& in, Outputs& out) const override {
    const Shape y_shape = *shape(shapes_of(in));
    if (in[kX].numel() == 0) {
      out[0] = at::zeros(y_shape, in[kX].options());
      return;
    }
    const std::int64_t rest = product(y_shape), axis = row_.front ? 0 : 1, size = in[kX].numel() / rest;
    const at::Tensor x = in[kX].reshape(row_.front ? Shape{size, rest} : Shape{rest, size});
    out[0] = (in.has(kLengths) ? reduce_parts(x, axis, checked(in, size)) : reduce(x, axis)).view(y_shape);
  }

 private:
  // The dimensions of X that Y keeps.
  std::span<const std::int64_t> kept(std::span<const std::int64_t> x) const {
    require(dims_ <= static_cast<std::int64_t>(x.size()), ErrorCode::kShape,
            "input 0 'X': expected {} dimensions or more, got {}", dims_, to_string(x));
    const auto n = static_cast<size_t>(dims_);
    return row_.front ? x.subspan(n) : x.first(x.size() - n);
  }

  at::Tensor checked(const Inputs& in, std::int64_t size) const {
    require(in[kLengths].scalar_type() == at::kInt, ErrorCode::kType, "{}: expected int32, got {}",
            in.describe(kLengths), c10::toString(in[kLengths].scalar_type()));
    const bool divides_integers = row_.kind == Kind::kMean && !in[kX].is_floating_point();
    for (const auto length : integers_of(in[kLengths]))
      require(length >= (divides_integers ? 1 : 0) && length <= size, ErrorCode::kArgument,
              "{}: expected {} to {}, got {}", in.describe(kLengths), divides_integers ? 1 : 0, size, length);
    return in[kLengths].flatten();
  }

  at::Tensor reduce(const at::Tensor& x, std::int64_t axis) const {
    if (row_.kind == Kind::kMax) return at::amax(x, axis);
    const at::Tensor sum = at::sum(x, axis, false, x.scalar_type());
    return row_.kind == Kind::kSum ? sum : divide(sum, at::scalar_tensor(x.size(axis)));
  }

  // The same, over the first elements along the axis alone.
  at::Tensor reduce_parts(const at::Tensor& x, std::int64_t axis, const at::Tensor& lengths) const {
    const at::Tensor place = at::arange(x.size(axis), lengths.options()).unsqueeze(1 - axis);
    const at::Tensor counts = place < lengths.clamp_min(1).unsqueeze(axis);
    if (row_.kind == Kind::kMax)
      return at::amax(at::where(counts, x, -std::numeric_limits<float>::infinity()), axis);
    const at::Tensor sum = at::sum(at::where(counts, x, 0), axis, false, x.scalar_type());
    return row_.kind == Kind::kSum ? sum : divide(sum, lengths);
  }

  static at::Tensor divide(const at::Tensor& sum, const at::Tensor& count) {
    if (sum.is_floating_point()) return sum / count.to(sum.scalar_type());
    return at::div(sum, count.to(sum.scalar_type()), "trunc");
  }

  const Row& row_;
  const std::int64_t dims_;
};

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows) {
    const std::string end = row.front ? "first" : "last", rest = row.front ? "last" : "first";
    Registered(
        SchemaBuilder(row.type,
                      [&row](const OperatorArgs& args) { return std::make_unique<ReduceEnd>(args, row); })
            .says(row.says)
            .input("X", "num_reduce_dim dimensions or more",
                   row.kind == Kind::kMax ? Types::kFloat : Types::kNumber)
            .optional_input("lengths", "(elements of Y) int32: how many elements count", Types::kIndex)
            .output("Y", "the " + rest + " dimensions of X", infer::by(&ReduceEnd::shape))
            .arg("num_reduce_dim", "how many of the " + end + " dimensions, default 1"));
  }
  return true;
}();

}  // namespace
}  // namespace caffe2rt
