// What convolutions and fully connected layers on a GPU have in common. They multiply numbers of the filter's
// element type, which the net's precision chose, and what they write is of it too.
#pragma once

#include <optional>

#include "ops/cuda/finish.h"
#include "ops/cuda/tensors.h"
#include "runtime/operator.h"

namespace caffe2rt::cuda {

// y + bias + residual, and max(.., 0) or a HardSwish of it. y: the products' sums, owned, of any shape;
// `channel_axis` is the axis of the bias. A residual of another shape than y's is added as Add does it.
at::Tensor finish(at::Tensor y, std::int64_t channel_axis, const std::optional<at::Tensor>& bias,
                  const std::optional<at::Tensor>& residual, bool relu, const HardSwish& hard_swish = {});

}  // namespace caffe2rt::cuda
