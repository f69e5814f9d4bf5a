#include "runtime/partial_shape.h"

#include "base/error.h"
#include "proto/net_def.h"

namespace caffe2rt {

std::string to_string(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (const auto d : shape) {
    if (text.size() > 1) text += ',';
    text += d == kUnknown ? "?" : std::to_string(d);
  }
  return text + ")";
}

std::string to_string(const PartialShape& shape) { return shape ? to_string(std::span(*shape)) : "(?)..."; }

bool compatible(const PartialShape& a, const PartialShape& b) {
  if (!a || !b) return true;
  if (a->size() != b->size()) return false;
  for (size_t i = 0; i < a->size(); i++)
    if ((*a)[i] != kUnknown && (*b)[i] != kUnknown && (*a)[i] != (*b)[i]) return false;
  return true;
}

void require_compatible(std::string_view what, const PartialShape& got, const PartialShape& expected) {
  require(compatible(got, expected), ErrorCode::kShape, "{}: expected {}, got {}", what, to_string(expected),
          to_string(got));
}

std::int64_t element_count(std::span<const std::int64_t> shape) {
  const auto limit = static_cast<std::int64_t>(Limits{}.tensor_elements);
  std::int64_t count = 1;
  for (const auto d : shape) {
    require(d >= 0, ErrorCode::kArgument, "expected a shape, got {}", to_string(shape));
    if (d == 0) return 0;
    require(count <= limit / d, ErrorCode::kLimit, "expected at most {} elements, got a tensor {}", limit,
            to_string(shape));
    count *= d;
  }
  return count;
}

std::int64_t dim_or_unknown(const PartialShape& shape, size_t axis) {
  return shape && axis < shape->size() ? (*shape)[axis] : kUnknown;
}

}  // namespace caffe2rt
