// C[i] = f(A[i], B[i]) with B, or both, repeated to fit; one row a function.
//
// Source: the original's two rules. Without `broadcast` (Caffe2 1.x) they broadcast as numpy's arrays do.
// With `broadcast=1` (the older rule) B's dimensions, less its leading and trailing ones, equal a run of A's
// dimensions that begins at `axis`, by default the last ones; C has the shape of A.
#include <ATen/ops/add.h>
#include <ATen/ops/div.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>

#include <array>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;
using Function = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

[[noreturn]] void cannot_broadcast(const Shape& a, const Shape& b) {
  fail(ErrorCode::kShape, "{} and {} cannot be broadcast together", to_string(std::span(a)),
       to_string(std::span(b)));
}

Shape numpy_shape(const Shape& a, const Shape& b) {
  Shape c(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < c.size(); i++) {  // from the back
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1,
                       db = i < b.size() ? b[b.size() - 1 - i] : 1;
    auto& dc = c[c.size() - 1 - i];
    if (da == db || db == 1)
      dc = da;
    else if (da == 1)
      dc = db;
    else if (da == kUnknown || db == kUnknown)
      dc = std::max(da, db);  // the unknown one can only be 1 or the same
    else
      cannot_broadcast(a, b);
  }
  return c;
}

class Binary final : public Operator {
 public:
  Binary(const OperatorArgs& args, Function function)
      : function_(function), legacy_(args.get("broadcast", false)), axis_(legacy_ ? read_axis(args) : -1) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor &a = in[0], &b = in[1];
    require(a.scalar_type() == b.scalar_type(), ErrorCode::kType,
            "expected inputs of one type, got {} and {}", c10::toString(a.scalar_type()),
            c10::toString(b.scalar_type()));
    if (legacy_) {
      out[0] = function_(a, b.reshape(legacy_view(a.sizes().vec(), b.sizes().vec())));
    } else {
      numpy_shape(a.sizes().vec(), b.sizes().vec());
      out[0] = function_(a, b);
    }
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[0] || !in[1]) return legacy_ ? in[0] : std::nullopt;
    if (!legacy_) return numpy_shape(*in[0], *in[1]);
    legacy_view(*in[0], *in[1]);
    return in[0];
  }

 private:
  static std::int64_t read_axis(const OperatorArgs& args) {
    const auto axis = args.get("axis", std::int64_t{-1});
    const std::string name = args.get("axis_str", "");
    if (name.empty()) return axis;
    const std::string order = args.get("order", "NCHW");
    const size_t found = order.find(name);
    require(axis == -1, ErrorCode::kArgument, "expected 'axis' or 'axis_str', got both");
    require(name.size() == 1 && found != std::string::npos, ErrorCode::kArgument,
            "argument 'axis_str': expected one letter of '{}', got '{}'", order, name);
    return static_cast<std::int64_t>(found);
  }

  // The shape that makes numpy's rule do what the older one says: B's own, followed by ones.
  Shape legacy_view(const Shape& a, const Shape& b) const {
    const auto is_one = [](std::int64_t d) { return d == 1; };
    if (std::all_of(b.begin(), b.end(), is_one)) return {};
    if (b.size() > a.size()) cannot_broadcast(a, b);
    const auto last_start = static_cast<std::int64_t>(a.size() - b.size());
    const std::int64_t axis = axis_ == -1 ? last_start : axis_;
    require(axis >= 0 && axis <= last_start, ErrorCode::kArgument, "axis: expected 0 to {}, got {}",
            last_start, axis);
    const auto begin = std::find_if_not(b.begin(), b.end(), is_one);
    const auto end = std::find_if_not(b.rbegin(), b.rend(), is_one).base();
    for (auto d = begin; d != end; ++d) {
      const std::int64_t da = a[axis + (d - b.begin())];
      if (da != *d && da != kUnknown && *d != kUnknown) cannot_broadcast(a, b);
    }
    Shape view = b;
    view.resize(a.size() - axis, 1);
    return view;
  }

  const Function function_;
  const bool legacy_;
  const std::int64_t axis_;  // -1: B fits A's last dimensions
};

at::Tensor divide(const at::Tensor& a, const at::Tensor& b) {
  return at::isFloatingType(a.scalar_type()) ? at::div(a, b) : at::div(a, b, "trunc");
}

struct Row {
  const char* type;
  const char* says;
  Function function;
};

const Row kRows[] = {
    {"Add", "A + B", [](const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }},
    {"Sub", "A - B", [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); }},
    {"Mul", "A * B", [](const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); }},
    {"Div", "A / B, integers rounded towards zero", divide},
};

[[maybe_unused]] const bool registered_rows = [] {
  for (const Row& row : kRows)
    Registered(
        SchemaBuilder(row.type, [f = row.function](
                                    const OperatorArgs& args) { return std::make_unique<Binary>(args, f); })
            .says(row.says)
            .input("A", "any shape: float32, float64, int32 or int64", Types::kNumber)
            .input("B", "type of A; a shape that can be repeated to fit", Types::kNumber)
            .output("C", "A's shape with broadcast=1, else as numpy broadcasts", infer::by(&Binary::shape))
            .arg("broadcast", "1: the older rule, which `axis` belongs to")
            .arg("axis", "the dimension of A that B's first one stands for; default -1: the last ones fit")
            .arg("axis_str", "the same as a letter of `order`, such as C")
            .arg("order", "NCHW (default) or NHWC"));
  return true;
}();

}  // namespace
}  // namespace caffe2rt
