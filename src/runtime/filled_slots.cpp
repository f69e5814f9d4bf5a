#include "runtime/filled_slots.h"

#include <ATen/ops/cat.h>

namespace caffe2rt {

at::Tensor filled_slots(const at::Tensor& rows, const at::Tensor& filled) {
  const std::int64_t images = filled.numel(), slots = images > 0 ? rows.size(0) / images : 0;
  std::vector<at::Tensor> parts;
  for (std::int64_t n = 0; n < images; n++)
    parts.push_back(rows.narrow(0, n * slots, static_cast<std::int64_t>(filled.const_data_ptr<float>()[n])));
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

}  // namespace caffe2rt
