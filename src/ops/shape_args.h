// What operators that move data around share: axes and sizes, given as arguments or as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "base/error.h"
#include "runtime/partial_shape.h"

namespace caffe2rt {

// `axis` of a tensor of `rank` dimensions, counted from the back where negative. Throws Error(kArgument).
inline std::int64_t canonical_axis(std::int64_t axis, std::int64_t rank) {
  require(axis >= -rank && axis < rank, ErrorCode::kArgument, "axis: expected {} to {}, got {}", -rank,
          rank - 1, axis);
  return axis < 0 ? axis + rank : axis;
}

// `axes`, each as above, in rising order and each once.
inline std::vector<std::int64_t> canonical_axes(std::vector<std::int64_t> axes, std::int64_t rank) {
  for (auto& axis : axes) axis = canonical_axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

// The values of an int32 or int64 tensor, on whatever device it lies.
inline std::vector<std::int64_t> integers_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kCPU, at::kLong).contiguous();
  const auto* data = values.const_data_ptr<std::int64_t>();
  return {data, data + values.numel()};
}

// The product of some dimensions; kUnknown where one of them is.
inline std::int64_t product(std::span<const std::int64_t> dims) {
  if (std::find(dims.begin(), dims.end(), kUnknown) != dims.end()) return kUnknown;
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

// The shape of a vector of n elements.
inline PartialShape vector_shape(size_t n) { return std::vector{static_cast<std::int64_t>(n)}; }

}  // namespace caffe2rt
