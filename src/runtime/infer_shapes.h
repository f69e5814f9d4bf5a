// Shape inference over a whole graph, to find weights that do not fit before anything runs.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "runtime/operator.h"

namespace caffe2rt {

// Returns the shape of every value as far as constants, arguments, operators and the given shapes of inputs
// tell. `ops` holds the operator of each node. Throws Error(kShape or kType) at the first operator whose
// inputs cannot fit, with its place.
std::vector<PartialShape> infer_shapes(const Graph& graph, const std::vector<const Operator*>& ops,
                                       const std::map<ValueId, PartialShape>& inputs = {});

}  // namespace caffe2rt
