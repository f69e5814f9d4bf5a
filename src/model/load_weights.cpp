#include "model/load_weights.h"

#include <ATen/ops/min.h>

#include <cmath>

#include "base/error.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {

Blobs load_weights(const NetDef& init_net) {
  Blobs weights = run_init_net(init_net);
  for (const auto& [name, weight] : weights) {
    if (!weight.is_floating_point() || weight.numel() == 0) continue;
    const bool is_number =
        !std::isnan(at::min(weight).item().toFloat());  // the least value is NaN where one is
    require(is_number, ErrorCode::kFormat, "{}: weight '{}' holds a value that is not a number",
            init_net.source, name);
  }
  return weights;
}

}  // namespace caffe2rt
