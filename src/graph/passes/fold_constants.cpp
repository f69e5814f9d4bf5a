// Before: an operator that reads constants alone, such as a Slice of one. After: its outputs as constants.
// Only of operators that are functions of their inputs, which those that run on any device are.
#include <algorithm>
#include <set>
#include <vector>

#include "base/error.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "runtime/operator.h"
#include "runtime/translate_exceptions.h"

namespace caffe2rt {
namespace {

bool is_constant(const Graph& graph, const Node& node) {
  const Schema* schema = find_schema(node.def.type);
  return schema && schema->any_device && !node.inputs.empty() &&
         std::ranges::all_of(node.inputs, [&](ValueId id) { return graph.constants.contains(id); });
}

Outputs run(const Graph& graph, const Node& node) {
  const Schema& schema = *find_schema(node.def.type);
  std::vector<const at::Tensor*> in;
  for (const ValueId id : node.inputs) in.push_back(&graph.constants.at(id));
  Outputs out(node.outputs.size());
  const Inputs inputs(schema, in);
  at_place([&] { return node.place(); },
           [&] {
             inputs.check_types();
             translating_exceptions(
                 [&] { schema.make(OperatorArgs(node.def, c10::DeviceType::CPU))->run(inputs, out); });
           });
  return out;
}

}  // namespace

void fold_constants(Graph& graph) {
  const std::set<ValueId> asked_for(graph.outputs.begin(), graph.outputs.end());
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    const bool is_output =
        std::ranges::any_of(node.outputs, [&](ValueId id) { return asked_for.contains(id); });
    if (is_output || !is_constant(graph, node)) {
      kept.push_back(std::move(node));
      continue;
    }
    const Outputs out = run(graph, node);
    for (size_t i = 0; i < out.size(); i++) graph.constants[node.outputs[i]] = out[i];
  }
  graph.nodes = std::move(kept);
  set_producers(graph);
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
