// Before: Conv -> Y -> Relu -> Z, where nothing else reads Y; ConvTranspose and FC likewise.
// After: Conv with the argument caffe2rt.relu -> Z, which saves a tensor of that size.
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {

void fuse_relu(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<Node> nodes;
  std::vector<int> writer(graph.values.size(), -1);  // index into nodes
  for (Node& node : graph.nodes) {
    if (node.def.type == "Relu") {
      const ValueId between = node.inputs.front();
      const int before = writer[between];
      if (before >= 0 && readers[between] == 1 &&
          (nodes[before].def.type == "Conv" || nodes[before].def.type == "ConvTranspose" ||
           nodes[before].def.type == "FC")) {
        set_output(graph, nodes[before], node.outputs.front());
        set_argument(nodes[before].def, "caffe2rt.relu", 1);
        writer[node.outputs.front()] = before;
        continue;
      }
    }
    for (const ValueId id : node.outputs) writer[id] = static_cast<int>(nodes.size());
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  set_producers(graph);
}

}  // namespace caffe2rt
