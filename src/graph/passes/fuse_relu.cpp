// Before: Conv -> Y -> Relu -> Z, where nothing else reads Y.
// After: Conv with the argument caffe2rt.relu -> Z, which saves a tensor of that size.
#include <vector>

#include "graph/passes/passes.h"

namespace caffe2rt {
namespace {

// How often each value is read, by operators or by the caller.
std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.values.size());
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.inputs) readers[id]++;
  for (const ValueId id : graph.outputs) readers[id]++;
  return readers;
}

void set_flag(OperatorDef& def, const char* name) {
  Argument flag;
  flag.name = name;
  flag.i = 1;
  def.args.push_back(std::move(flag));
}

}  // namespace

void fuse_relu(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<Node> nodes;
  std::vector<int> writer(graph.values.size(), -1);  // index into nodes
  for (Node& node : graph.nodes) {
    if (node.def.type == "Relu") {
      const ValueId between = node.inputs.front();
      const int conv = writer[between];
      if (conv >= 0 && nodes[conv].def.type == "Conv" && readers[between] == 1) {
        nodes[conv].outputs = node.outputs;
        nodes[conv].def.outputs = node.def.outputs;
        set_flag(nodes[conv].def, "caffe2rt.relu");
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
