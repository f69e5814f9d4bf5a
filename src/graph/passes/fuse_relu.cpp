// Before: Conv -> Y -> Relu -> Z, where nothing else reads Y; ConvTranspose, FC and GroupNorm likewise.
// After: Conv with the argument caffe2rt.relu -> Z, which saves a tensor of that size.
#include <algorithm>
#include <string_view>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool takes_relu(const Node& node) {
  constexpr std::string_view kTypes[] = {"Conv", "ConvTranspose", "FC", "GroupNorm"};
  return std::ranges::find(kTypes, node.def.type) != std::end(kTypes);
}

}  // namespace

void fuse_relu(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<Node> nodes;
  std::vector<int> writer(graph.values.size(), -1);  // index into nodes
  for (Node& node : graph.nodes) {
    if (node.def.type == "Relu") {
      const ValueId between = node.inputs.front();
      const int before = writer[between];
      if (before >= 0 && readers[between] == 1 && takes_relu(nodes[before]) &&
          nodes[before].outputs.size() == 1) {
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
