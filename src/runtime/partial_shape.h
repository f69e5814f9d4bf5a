// PartialShape: what is known of a tensor's shape before anything runs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caffe2rt {

inline constexpr std::int64_t kUnknown = -1;  // a dimension that only a run tells

// No value: not even the rank is known. A dimension may be kUnknown.
using PartialShape = std::optional<std::vector<std::int64_t>>;
using PartialShapes = std::span<const PartialShape>;

// "(1,3,?,?)", or "(?)..." where the rank is unknown.
std::string to_string(const PartialShape& shape);
std::string to_string(std::span<const std::int64_t> shape);

// True where both may be the same shape.
bool compatible(const PartialShape& a, const PartialShape& b);

// Throws Error(kShape) "what: expected (2,3), got (2,4)" where the two cannot be the same shape.
void require_compatible(std::string_view what, const PartialShape& got, const PartialShape& expected);

// How many elements a tensor of this shape has. Throws Error(kArgument) for a negative dimension and
// Error(kLimit) past Limits::tensor_elements, without overflow on the way.
std::int64_t element_count(std::span<const std::int64_t> shape);

// Dimension `axis` of a shape, kUnknown where it is not known.
std::int64_t dim_or_unknown(const PartialShape& shape, size_t axis);

}  // namespace caffe2rt
