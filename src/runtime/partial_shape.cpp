#include "runtime/partial_shape.h"

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

std::int64_t dim_or_unknown(const PartialShape& shape, size_t axis) {
  return shape && axis < shape->size() ? (*shape)[axis] : kUnknown;
}

}  // namespace caffe2rt
