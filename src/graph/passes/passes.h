// Passes: rewrites of a graph that leave its outputs as they are. One file a pass.
#pragma once

#include "graph/graph.h"

namespace caffe2rt {

// All of the passes below, in their order.
void run_passes(Graph& graph);

// Removes nodes that no output depends on.
void drop_dead_ends(Graph& graph);

}  // namespace caffe2rt
