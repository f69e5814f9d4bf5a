// Before: Conv(X, filter, bias) -> Y; Add or Sum(Y, R) -> Z, where nothing else reads Y. After: Conv(X,
// filter, bias, R) -> Z in the place of the sum, which saves a tensor of that size. Of two convolutions that
// are added the later one takes the sum.
#include <ATen/ops/zeros.h>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

constexpr size_t kFilter = 1, kBias = 2;

bool is_sum(const Node& node) {
  if (node.inputs.size() != 2 || node.inputs[0] == node.inputs[1]) return false;
  // Add with the argument broadcast lines shapes up in a way of its own.
  return node.def.type == "Sum" || (node.def.type == "Add" && !node.def.find("broadcast"));
}

bool takes_residual(const Graph& graph, const Node& node) {
  return node.def.type == "Conv" && node.inputs.size() <= kBias + 1 && !node.def.find("caffe2rt.relu") &&
         constant_input(graph, node, kFilter) != nullptr;
}

}  // namespace

void fuse_add(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<Node> nodes;
  std::vector<int> writer(graph.values.size(), -1);  // index into nodes
  std::vector<bool> moved;                           // by node
  for (Node node : graph.nodes) {
    if (is_sum(node)) {
      const auto conv_of = [&](ValueId id) {
        const int n = writer[id];
        return n >= 0 && readers[id] == 1 && !moved[n] && takes_residual(graph, nodes[n]) ? n : -1;
      };
      const int first = conv_of(node.inputs[0]), second = conv_of(node.inputs[1]),
                conv = std::max(first, second);
      if (conv >= 0) {
        const ValueId other = node.inputs[conv == first ? 1 : 0];
        Node joined = nodes[conv];
        moved[conv] = true;
        std::vector<ValueId> inputs = joined.inputs;
        if (inputs.size() == kBias)
          inputs.push_back(add_constant(graph, graph.values[joined.outputs.front()].blob + "/bias",
                                        at::zeros({constant_input(graph, joined, kFilter)->size(0)})));
        inputs.push_back(other);
        set_inputs(graph, joined, std::move(inputs));
        set_output(graph, joined, node.outputs.front());
        if (node.def.type == "Sum") set_argument(joined.def, "caffe2rt.of_sum", 1);
        node = std::move(joined);
      }
    }
    for (const ValueId id : node.outputs) writer[id] = static_cast<int>(nodes.size());
    nodes.push_back(std::move(node));
    moved.push_back(false);
  }
  graph.nodes.clear();
  for (size_t i = 0; i < nodes.size(); i++)
    if (!moved[i]) graph.nodes.push_back(std::move(nodes[i]));
  set_producers(graph);
}

}  // namespace caffe2rt
