// Gather: Y[a...,i...,b...] = DATA[a...,INDICES[i...],b...], where `axis` lies between a and b. BatchGather:
// the same along axis 1. With match_outer the indices have the axes a too, and each a looks up its own:
// Y[a...,i...,b...] = DATA[a...,INDICES[a...,i...],b...].
//
// Source: the original's Gather and BatchGather: where the axis is empty, Y is DATA.
#include <ATen/ops/index_select.h>
#include <ATen/ops/take_along_dim.h>
#include <ATen/ops/tensor.h>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

class Gather final : public Operator {
 public:
  enum Input { kData, kIndices };

  Gather(const OperatorArgs& args, bool batch)
      : axis_(batch ? 1 : args.get("axis", std::int64_t{0})),
        wrap_(!batch && args.get("wrap_indices", axis_ == 0)),
        match_outer_(args.get("match_outer", false)) {}

  PartialShape shape(PartialShapes in) const {
    if (!in[kData] || !in[kIndices]) return std::nullopt;
    const Shape &data = *in[kData], &indices = *in[kIndices];
    const auto axis = static_cast<size_t>(canonical_axis(axis_, static_cast<std::int64_t>(data.size())));
    if (match_outer_) {
      require(axis > 0, ErrorCode::kArgument, "axis: expected 1 or more with match_outer, got {}", axis_);
      require(indices.size() >= axis && compatible(Shape(data.begin(), data.begin() + axis),
                                                   Shape(indices.begin(), indices.begin() + axis)),
              ErrorCode::kShape, "input 1 'INDICES': expected the first {} dimensions of DATA {}, got {}",
              axis, to_string(in[kData]), to_string(in[kIndices]));
    }
    if (data[axis] == 0) return data;
    Shape y(data.begin(), data.begin() + axis);
    y.insert(y.end(), indices.begin() + (match_outer_ ? axis : 0), indices.end());
    y.insert(y.end(), data.begin() + axis + 1, data.end());
    if (data[axis] != kUnknown) return y;
    if (y.size() != data.size()) return std::nullopt;  // if the axis is empty, Y has the shape of DATA
    for (size_t d = 0; d < y.size(); d++)
      if (y[d] != data[d]) y[d] = kUnknown;
    return y;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor &data = in[kData], &indices = in[kIndices];
    const Shape y_shape = *shape(shapes_of(in));
    const std::int64_t count = element_count(y_shape), axis = canonical_axis(axis_, data.dim());
    if (data.size(axis) == 0) {
      out[0] = data;
      return;
    }
    const at::Tensor from = checked(indices, data.size(axis));
    if (!match_outer_ || count == 0) {
      out[0] = at::index_select(data, axis, from).reshape(y_shape);
      return;
    }
    // One axis of what is outside, the looked up one, and one of what is inside.
    const at::IntArrayRef sizes = data.sizes();
    const std::int64_t outer = product(sizes.slice(0, axis)), inner = product(sizes.slice(axis + 1));
    out[0] = at::take_along_dim(data.reshape({outer, sizes[axis], inner}), from.view({outer, -1, 1}), 1)
                 .reshape(y_shape);
  }

 private:
  // The indices as one axis of int64, negative ones counted from the back where that is allowed.
  at::Tensor checked(const at::Tensor& indices, std::int64_t size) const {
    Shape values = integers_of(indices);
    for (auto& i : values) {
      const std::int64_t index = i;
      if (wrap_ && i < 0) i += size;
      require(i >= 0 && i < size, ErrorCode::kArgument, "input 1 'INDICES': expected {} to {}, got {}",
              wrap_ ? -size : 0, size - 1, index);
    }
    return at::tensor(values);
  }

  const std::int64_t axis_;
  const bool wrap_, match_outer_;
};

SchemaBuilder describe(const char* type, bool batch) {
  SchemaBuilder schema(type,
                       [batch](const OperatorArgs& args) { return std::make_unique<Gather>(args, batch); });
  schema.says(std::string("Looks up slices of DATA along ") + (batch ? "axis 1." : "an axis."))
      .input("DATA", "any type; it has the axis", Types::kAny)
      .input("INDICES", "any shape, int32 or int64", Types::kIndex)
      .output("Y", "shape of DATA with that of INDICES in place of the axis", infer::by(&Gather::shape));
  if (!batch)
    schema.arg("axis", "default 0, from the end where negative")
        .arg("wrap_indices", "1: negative indices count from the back; default 1 for axis 0, else 0");
  schema.arg("match_outer",
             "1: INDICES begin with DATA's axes before the axis, and each of these looks up its own");
  return schema;
}

const Registered gather(describe("Gather", false));
const Registered batch_gather(describe("BatchGather", true));

}  // namespace
}  // namespace caffe2rt
