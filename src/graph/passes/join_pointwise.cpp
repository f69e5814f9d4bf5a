// Before: caffe2rt.WinogradConv(X, filter, bias) -> Y; Conv(Y, f, b) with windows of one pixel and few
// filters -> Z, where nothing else reads Y: the head of a proposal network. After: caffe2rt.WinogradHead(X,
// filter, bias, packed f, b) -> Z, and Y, as large as the map, is never in memory. f multiplies float32 in
// every precision: what Z is made of are results.
#include <map>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/winograd.h"
#include "ops/matmul_kernel.h"

namespace caffe2rt {
namespace {

bool is_winograd(const Node& node) {
  return node.def.type == "caffe2rt.WinogradConv" && node.inputs.size() == ConvNode::kResidual &&
         integer_argument(node.def, "caffe2rt.groups", 1) == 1;
}

// Whether a node is a Conv of single pixels, each for itself, with few filters and nothing behind it.
bool is_pointwise(const Graph& graph, const Node& node) {
  const auto conv = ConvNode::find(graph, node);
  using Ints = std::vector<std::int64_t>;
  return conv && node.inputs.size() == ConvNode::kResidual && conv->group == 1 &&
         conv->filter.size(0) <= winograd::kMostColumns && conv->window.kernel == Ints{1, 1} &&
         conv->window.stride == Ints{1, 1} && conv->window.pads == Ints(4) &&
         integer_argument(node.def, "caffe2rt.relu", 0) == 0;
}

}  // namespace

void join_pointwise(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::map<ValueId, ValueId> packed;  // heads share their filters among levels
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    if (!is_winograd(node)) continue;
    const auto reader = only_reader(graph, node.outputs.front(), readers);
    if (reader == graph.nodes.end() || !is_pointwise(graph, *reader) ||
        !graph.constants.contains(reader->inputs[ConvNode::kBias]))
      continue;
    const ValueId filter = reader->inputs[ConvNode::kFilter];
    const auto [known, is_new] = packed.try_emplace(filter);
    if (is_new)
      known->second =
          add_constant(graph, graph.values[filter].blob, pack_matmul(graph.constants.at(filter), {}));
    set_argument(node.def, "caffe2rt.columns", graph.constants.at(filter).size(0));
    node.def.type = "caffe2rt.WinogradHead";
    std::vector<ValueId> inputs = node.inputs;
    inputs.insert(inputs.end(), {known->second, reader->inputs[ConvNode::kBias]});
    set_inputs(graph, node, std::move(inputs));
    set_output(graph, node, reader->outputs.front());
    graph.nodes.erase(reader);  // which is behind the node
  }
  set_producers(graph);
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
