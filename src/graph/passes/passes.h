// Passes: rewrites of a graph that leave its outputs as they are. One file a pass.
#pragma once

#include "graph/graph.h"

namespace caffe2rt {

// All of the passes below, in their order. They leave the graph's outputs as they are: with every blob among
// the outputs nothing is dropped.
void run_passes(Graph& graph);

// Gives boxes that go from BoxWithNMSLimit to a second RoIAlign the number of their image, so that batches
// work.
void number_regions(Graph& graph);

// Removes nodes that no output depends on.
void drop_dead_ends(Graph& graph);

// Joins a Relu to the Conv before it.
void fuse_relu(Graph& graph);

}  // namespace caffe2rt
