#include "graph/passes/passes.h"

namespace caffe2rt {

void run_passes(Graph& graph) {
  number_regions(graph);
  drop_dead_ends(graph);
  fuse_relu(graph);
}

}  // namespace caffe2rt
