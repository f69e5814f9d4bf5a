// FC: Y[m,n] = bias[n] + sum over k of X[m,k] * W[n,k], where the axes of X before `axis` are m, the others
// k, and those of W before `axis_w` are n, the others k. FCTransposed: the same with W[k,n], where k are the
// axes of W before `axis_w`. Source: Caffe2's FC and FCTransposed.
#include "ops/fc.h"

#include <ATen/ops/addmm.h>

#include "ops/relu.h"
#include "ops/shape_args.h"

namespace caffe2rt {
namespace {

// `axis`, counted from the end where it is negative, as the number of dimensions before it.
size_t before_axis(const char* input, const PartialShape& shape, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(shape->size());
  require(axis < rank && axis >= -rank, ErrorCode::kShape, "{}: expected an axis {}, got {}", input, axis,
          to_string(shape));
  return static_cast<size_t>(axis < 0 ? axis + rank : axis);
}

}  // namespace

FcArgs::FcArgs(const OperatorArgs& args, bool transposed)
    : axis_(args.get("axis", std::int64_t{1})),
      axis_w_(args.get("axis_w", std::int64_t{1})),
      transposed_(transposed),
      channels_last_(args.get("caffe2rt.channels_last", false)),
      relu_(args.get("caffe2rt.relu", false)) {}

PartialShape FcArgs::shape(PartialShapes in) const {
  if (!in[kW] || !in[kX]) return std::nullopt;
  const std::span<const std::int64_t> x(*in[kX]), w(*in[kW]);
  const size_t m = before_axis("input 0 'X'", in[kX], axis_),
               split = before_axis("input 1 'W'", in[kW], axis_w_);
  const auto rows_of_w = product(w.first(split)), columns_of_w = product(w.subspan(split));
  const std::int64_t k_of_x = product(x.subspan(m)), k_of_w = transposed_ ? rows_of_w : columns_of_w,
                     columns = transposed_ ? columns_of_w : rows_of_w;
  require(compatible({{k_of_x}}, {{k_of_w}}), ErrorCode::kShape,
          "input 1 'W': expected {} elements {} axis {}{}, as X {} has from axis {} on, got {}", k_of_x,
          transposed_ ? "before" : "from", axis_w_, transposed_ ? "" : " on", to_string(x), axis_,
          to_string(w));
  require_compatible("input 2 'b'", in[kBias], {{columns}});
  std::vector<std::int64_t> y(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(m));
  y.push_back(columns);
  return y;
}

FcArgs::Factors FcArgs::factors(const Inputs& in) const {
  Factors f;
  f.y_shape = *shape(shapes_of(in));
  element_count(f.y_shape);
  const std::int64_t columns = f.y_shape.back();
  const std::int64_t rows = product(std::span(f.y_shape).first(f.y_shape.size() - 1));
  const std::int64_t k = columns == 0 ? 0 : in[kW].numel() / columns;
  f.x = (channels_last_ ? in[kX].permute({0, 2, 3, 1}) : in[kX]).reshape({rows, k});
  f.w = transposed_ ? in[kW].reshape({k, columns}) : in[kW].reshape({columns, k}).t();
  return f;
}

namespace {

class Fc final : public Operator {
 public:
  Fc(const OperatorArgs& args, bool transposed) : args_(args, transposed) {}

  PartialShape shape(PartialShapes in) const { return args_.shape(in); }

  void run(const Inputs& in, Outputs& out) const override {
    const FcArgs::Factors f = args_.factors(in);
    const at::Tensor y = at::addmm(in[FcArgs::kBias], f.x, f.w);
    if (args_.relu()) relu_into(y, y);
    out[0] = y.view(f.y_shape);
  }

 private:
  const FcArgs args_;
};

SchemaBuilder describe(const char* type, bool transposed) {
  SchemaBuilder schema(
      type, [transposed](const OperatorArgs& args) { return std::make_unique<Fc>(args, transposed); });
  const std::string before = transposed ? "N" : "K", w = transposed ? "(K...,N...)" : "(N...,K...)";
  schema.says("Fully connected layer: a matrix product and a bias.")
      .input("X", "(M...,K...) float32")
      .input("W", w + " float32")
      .input("b", "(N) float32")
      .output("Y", "(M...,N) float32", infer::by(&Fc::shape))
      .arg("axis", "first axis of X that belongs to K, from the end where negative; default 1")
      .arg("axis_w", "first axis of W that belongs to " + before + ", from the end where negative; default 1")
      .arg("caffe2rt.channels_last",
           "not in files: X is (M,C,H,W), and the order of K is (H,W,C); set by the pass "
           "flatten_channels_last")
      .arg("caffe2rt.relu", "not in files: max(Y, 0) instead of Y; set by the pass fuse_relu");
  return schema;
}

const Registered fc(describe("FC", false));
const Registered fc_transposed(describe("FCTransposed", true));

}  // namespace
}  // namespace caffe2rt
