#include <algorithm>
#include <vector>

#include "graph/passes/passes.h"
#include "runtime/schema.h"

namespace caffe2rt {
namespace {

// Optional outputs at the end that nothing reads need not be computed.
void drop_last_outputs(Node& node, const std::vector<bool>& wanted) {
  const Schema* schema = find_schema(node.def.type);
  while (schema && node.outputs.size() > 1 && !wanted[node.outputs.back()] &&
         schema->output(node.outputs.size() - 1).count == Schema::Count::kOptional) {
    node.outputs.pop_back();
    node.def.outputs.pop_back();
  }
}

}  // namespace

void drop_dead_ends(Graph& graph) {
  std::vector<bool> wanted(graph.values.size());
  for (const ValueId id : graph.outputs) wanted[id] = true;
  for (const auto& [output, filled] : graph.slots) wanted[filled] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) { return wanted[id]; }))
      continue;
    drop_last_outputs(*node, wanted);
    for (const ValueId id : node->inputs) wanted[id] = true;
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);

  set_producers(graph);
  std::erase_if(graph.constants, [&](const auto& constant) { return !wanted[constant.first]; });
  std::erase_if(graph.inputs, [&](ValueId id) { return !wanted[id]; });
}

}  // namespace caffe2rt
