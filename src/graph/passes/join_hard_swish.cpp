// Before: X -> HardSigmoid -> gate; Mul(X, gate) -> Y, where nothing else reads the gate.
// After: caffe2rt.HardSwish(X) -> Y, which reads and writes memory once.
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {

void join_hard_swish(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  set_producers(graph);
  for (Node& node : graph.nodes) {
    if (node.def.type != "Mul" || node.inputs.size() != 2 || node.def.find("broadcast")) continue;
    for (const int i : {0, 1}) {
      const ValueId gate = node.inputs[i], x = node.inputs[1 - i];
      const int producer = graph.values[gate].producer;
      if (producer < 0 || readers[gate] != 1) continue;
      const Node& sigmoid = graph.nodes[producer];
      if (sigmoid.def.type != "HardSigmoid" || sigmoid.inputs.front() != x) continue;
      node.def.args = sigmoid.def.args;
      node.def.type = "caffe2rt.HardSwish";
      set_inputs(graph, node, {x});
      break;
    }
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
