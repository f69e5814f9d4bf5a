#include <algorithm>
#include <vector>

#include "graph/passes/passes.h"

namespace caffe2rt {

void drop_dead_ends(Graph& graph) {
  std::vector<bool> wanted(graph.values.size());
  for (const ValueId id : graph.outputs) wanted[id] = true;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) { return wanted[id]; }))
      continue;
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
