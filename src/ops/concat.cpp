// Concat: Y = the inputs, one after the other along an axis. Split: the opposite, X cut into pieces along an
// axis.
//
// Source: the original's concat_split operators. With `add_axis` the axis is a new one, of one slice an input
// (or output).
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <numeric>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// The argument `axis`, or the channels of `order`. Only a given axis can be a new one.
struct Axis {
  explicit Axis(const OperatorArgs& args)
      : index(args.get("axis",
                       std::int64_t{args.get("order", StorageOrder::kNchw) == StorageOrder::kNchw ? 1 : 3})),
        is_new(args.has("axis") && args.get("add_axis", false)) {}

  std::int64_t index;
  bool is_new;
};

class Concat final : public Operator {
 public:
  explicit Concat(const OperatorArgs& args) : axis_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    std::vector<PartialShape> shapes;
    std::vector<at::Tensor> tensors;
    for (size_t i = 0; i < in.size(); i++) {
      require(in[i].scalar_type() == in[0].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
              in.describe(i), c10::toString(in[0].scalar_type()), c10::toString(in[i].scalar_type()));
      shapes.emplace_back(in[i].sizes().vec());
      tensors.push_back(in[i]);
    }
    shape(shapes);
    const std::int64_t axis = canonical_axis(axis_.index, in[0].dim() + axis_.is_new);
    out[0] = axis_.is_new ? at::stack(tensors, axis) : at::cat(tensors, axis);
    if (out.size() < 2) return;
    std::vector<int> sizes(in.size(), 1);
    if (!axis_.is_new)
      for (size_t i = 0; i < in.size(); i++) sizes[i] = static_cast<int>(in[i].size(axis));
    out[1] = at::tensor(sizes);  // on the CPU, as the original has it
  }

  PartialShape shape(PartialShapes in) const {
    PartialShape y = in[0];
    if (!y) return y;
    const std::int64_t axis =
        canonical_axis(axis_.index, static_cast<std::int64_t>(y->size()) + axis_.is_new);
    for (size_t i = 1; i < in.size(); i++) {
      if (!in[i]) return std::nullopt;
      PartialShape expected = in[0];
      if (!axis_.is_new) (*expected)[axis] = kUnknown;
      require(compatible(expected, in[i]), ErrorCode::kShape, "input {}: expected {}, got {}", i,
              to_string(expected), to_string(in[i]));
      if (axis_.is_new) continue;
      auto &sum = (*y)[axis], more = (*in[i])[axis];
      sum = sum == kUnknown || more == kUnknown ? kUnknown : sum + more;
    }
    if (axis_.is_new) y->insert(y->begin() + axis, static_cast<std::int64_t>(in.size()));
    return y;
  }

  PartialShape split_info_shape(PartialShapes in) const { return vector_shape(in.size()); }

 private:
  const Axis axis_;
};

class Split final : public Operator {
 public:
  enum Input { kX, kSplit };

  explicit Split(const OperatorArgs& args)
      : axis_(args), sizes_(args.ints("split")), outputs_(args.num_outputs()) {
    require(sizes_.empty() || args.num_inputs() == 1, ErrorCode::kArgument,
            "expected the sizes as argument 'split' or as an input, got both");
    require(sizes_.empty() || sizes_.size() == outputs_, ErrorCode::kArgument,
            "argument 'split': expected {} sizes, one an output, got {}", outputs_, sizes_.size());
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    const std::int64_t axis = canonical_axis(axis_.index, x.dim());
    const auto sizes = in.has(kSplit) ? integers_of(in[kSplit]) : sizes_of(x.size(axis));
    check(sizes, x.size(axis));
    for (std::int64_t i = 0, start = 0; i < static_cast<std::int64_t>(outputs_); start += sizes[i], i++)
      out[i] = axis_.is_new ? x.select(axis, start) : x.narrow(axis, start, sizes[i]);
  }

 private:
  std::vector<std::int64_t> sizes_of(std::int64_t whole) const {
    if (!sizes_.empty()) return sizes_;
    const auto pieces = static_cast<std::int64_t>(outputs_);
    require(whole % pieces == 0, ErrorCode::kShape, "{} cannot be split into {} equal parts", whole, pieces);
    return std::vector(outputs_, whole / pieces);
  }

  void check(const std::vector<std::int64_t>& sizes, std::int64_t whole) const {
    bool fits = sizes.size() == outputs_;
    for (const auto size : sizes) fits = fits && size >= 0 && size <= whole && (!axis_.is_new || size == 1);
    fits = fits && std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) == whole;
    require(fits, ErrorCode::kShape, "expected {} sizes{} that add up to {}, got {}", outputs_,
            axis_.is_new ? " of 1" : "", whole, to_string(std::span(sizes)));
  }

  const Axis axis_;
  const std::vector<std::int64_t> sizes_;
  const size_t outputs_;
};

REGISTER_OPERATOR(Concat)
    .says("Joins its inputs along an axis.")
    .inputs("X", "any type; the same shape but for the axis, and with add_axis for the axis too", Types::kAny)
    .output("Y", "shape of the inputs with their sizes along the axis added up", infer::by(&Concat::shape))
    .optional_output("split_info", "(inputs) int32: size of each along the axis",
                     infer::by(&Concat::split_info_shape))
    .arg("axis", "default: the channels of `order`")
    .arg("order", "NCHW (default): axis 1, or NHWC: axis 3")
    .arg("add_axis", "1: join along a new axis at `axis`")
    .runs_on_any_device();

REGISTER_OPERATOR(Split)
    .says("Cuts X into pieces along an axis.")
    .input("X", "any shape, any type", Types::kAny)
    .optional_input("split", "(outputs) int32: size of each piece", Types::kIndex)
    .outputs("Y", "shape of X but for the axis")
    .arg("axis", "default: the channels of `order`")
    .arg("split", "size of each piece; default: equal ones")
    .arg("order", "NCHW (default): axis 1, or NHWC: axis 3")
    .arg("add_axis", "1: pieces of size 1, without the axis")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
