// How many classes a net tells apart, read off the weights of the layer that scores them.
#pragma once

#include <cstdint>
#include <optional>

#include "graph/graph.h"

namespace caffe2rt {

// Without background; no value where the net does not show it.
std::optional<std::int64_t> count_classes(const NetDef& net, const Blobs& weights);

}  // namespace caffe2rt
