#include "ops/broadcast.h"

#include <algorithm>

#include "base/error.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

[[noreturn]] void cannot_broadcast(const Shape& a, const Shape& b) {
  fail(ErrorCode::kShape, "{} and {} cannot be broadcast together", to_string(std::span(a)),
       to_string(std::span(b)));
}

std::int64_t read_axis(const OperatorArgs& args) {
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

}  // namespace

Shape broadcast_shape(const Shape& a, const Shape& b) {
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

Broadcast::Broadcast(const OperatorArgs& args)
    : legacy_(args.get("broadcast", false)), axis_(legacy_ ? read_axis(args) : -1) {}

std::vector<Schema::Arg> Broadcast::documentation() {
  return {{"broadcast", "1: the older rule, which `axis` belongs to"},
          {"axis", "the dimension of A that B's first one stands for; default -1: the last ones fit"},
          {"axis_str", "the same as a letter of `order`, such as C"},
          {"order", "NCHW (default) or NHWC"}};
}

at::Tensor Broadcast::fit(const at::Tensor& a, const at::Tensor& b) const {
  if (legacy_) return b.reshape(legacy_view(a.sizes().vec(), b.sizes().vec()));
  broadcast_shape(a.sizes().vec(), b.sizes().vec());
  return b;
}

PartialShape Broadcast::shape(const PartialShape& a, const PartialShape& b) const {
  if (!a || !b) return legacy_ ? a : std::nullopt;
  if (!legacy_) return broadcast_shape(*a, *b);
  legacy_view(*a, *b);
  return a;
}

// B's own shape, followed by ones.
Shape Broadcast::legacy_view(const Shape& a, const Shape& b) const {
  const auto is_one = [](std::int64_t d) { return d == 1; };
  if (std::all_of(b.begin(), b.end(), is_one)) return {};
  if (b.size() > a.size()) cannot_broadcast(a, b);
  const auto last_start = static_cast<std::int64_t>(a.size() - b.size());
  const std::int64_t axis = axis_ == -1 ? last_start : axis_;
  require(axis >= 0 && axis <= last_start, ErrorCode::kArgument, "axis: expected 0 to {}, got {}", last_start,
          axis);
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

}  // namespace caffe2rt
