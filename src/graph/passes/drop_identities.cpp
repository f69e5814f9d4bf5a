// Before: X -> Copy -> Y -> ... After: X -> ..., where Y is no output of the net. Likewise copies between
// devices and a Concat of one input, whose second output nothing reads.
#include <algorithm>
#include <string_view>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool is_identity(const Node& node, const std::vector<int>& readers) {
  constexpr std::string_view kCopies[] = {"Copy", "CopyCPUToGPU", "CopyGPUToCPU", "CopyFromCPUInput"};
  if (node.inputs.size() != 1 || node.outputs.empty()) return false;
  if (std::ranges::find(kCopies, node.def.type) != std::end(kCopies)) return true;
  return node.def.type == "Concat" && integer_argument(node.def, "add_axis", 0) == 0 &&
         std::all_of(node.outputs.begin() + 1, node.outputs.end(),
                     [&](ValueId id) { return readers[id] == 0; });
}

}  // namespace

void drop_identities(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<ValueId> stands_for(graph.values.size());
  for (size_t i = 0; i < stands_for.size(); i++) stands_for[i] = static_cast<ValueId>(i);
  std::erase_if(graph.nodes, [&](Node& node) {
    std::vector<ValueId> inputs = node.inputs;
    for (ValueId& id : inputs) id = stands_for[id];
    if (inputs != node.inputs) set_inputs(graph, node, std::move(inputs));
    if (!is_identity(node, readers) || std::ranges::count(graph.outputs, node.outputs.front()) > 0)
      return false;
    stands_for[node.outputs.front()] = node.inputs.front();
    return true;
  });
  set_producers(graph);
}

}  // namespace caffe2rt
