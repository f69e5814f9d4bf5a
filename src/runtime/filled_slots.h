// Results in slots (graph.h): what a caller is given has as many rows as there are.
#pragma once

#include <ATen/core/Tensor.h>

namespace caffe2rt {

// rows (N*slots,...), of any device; filled (N) float32 on the host: how many of each image's are filled, the
// first ones. Those of all images, one after the other.
at::Tensor filled_slots(const at::Tensor& rows, const at::Tensor& filled);

}  // namespace caffe2rt
