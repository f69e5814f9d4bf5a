// Broadcast: how two tensors are repeated to fit each other, by either of the original's two rules.
//
// Without the argument `broadcast` (Caffe2 1.x) they broadcast as numpy's arrays do. With `broadcast=1` (the
// older rule) B's dimensions, less its leading and trailing ones, equal a run of A's dimensions that begins
// at `axis`, by default the last ones; the result has the shape of A.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "runtime/operator_args.h"
#include "runtime/partial_shape.h"
#include "runtime/schema.h"

namespace caffe2rt {

// The shape that two shapes have together by numpy's rule; either may hold kUnknown. Throws Error(kShape).
std::vector<std::int64_t> broadcast_shape(const std::vector<std::int64_t>& a,
                                          const std::vector<std::int64_t>& b);

class Broadcast {
 public:
  // Reads the arguments that documentation() lists. Throws Error(kArgument).
  explicit Broadcast(const OperatorArgs& args);
  static std::vector<Schema::Arg> documentation();

  // B in the shape that makes numpy's rule do what the chosen one says. Throws Error(kShape or kArgument)
  // where B does not fit A.
  at::Tensor fit(const at::Tensor& a, const at::Tensor& b) const;

  // The shape of the result. Throws as fit does.
  PartialShape shape(const PartialShape& a, const PartialShape& b) const;

 private:
  std::vector<std::int64_t> legacy_view(const std::vector<std::int64_t>& a,
                                        const std::vector<std::int64_t>& b) const;

  const bool legacy_;
  const std::int64_t axis_;  // -1: B fits A's last dimensions
};

}  // namespace caffe2rt
