// What the operators with a depthwise convolution have in common: its packed weights, and the kernel's
// problem.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "kernels/depthwise.h"
#include "ops/window.h"

namespace caffe2rt {

// filter (C,1,KH,KW), bias (C) -> packed weights (KH*KW+1,C): a line for each of the window's pixels, then
// the bias.
at::Tensor pack_depthwise(const at::Tensor& filter, const std::optional<at::Tensor>& bias);

// The convolution of x (N,C,H,W) in channels_last memory, which has to outlive it, to `y_shape`, by packed
// weights of x's channels; without an activation.
depthwise::Problem depthwise_problem(const Window& window, const at::Tensor& x, const at::Tensor& packed,
                                     const std::vector<std::int64_t>& y_shape);

// The shape of the packed weights of C channels.
std::vector<std::int64_t> packed_depthwise_shape(const Window& window, std::int64_t channels);

}  // namespace caffe2rt
