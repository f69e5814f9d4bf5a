// Before: a layer -> R; layer(X, filter, bias, R) -> Y, which is the last to read R and writes Y in the same
// format. After: the latter with the argument caffe2rt.in_place, which writes Y where R lies: a block of a
// ResNet takes one map of memory for its trunk instead of two, and lines that were just read are written.
// Who watches a run (Workspace::after_node) finds Y in R once Y is there.
#include <algorithm>
#include <string_view>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/activation.h"

namespace caffe2rt {
namespace {

// Of these nothing that is written ever lies in the memory of what is read, but for this pass.
bool is_layer(const Node& node) {
  return node.def.type == "caffe2rt.MatMulConv" || node.def.type == "caffe2rt.WinogradConv";
}

// Images that are joined may be computed twice.
bool can_overwrite(const Node& node) {
  if (!is_layer(node) || node.inputs.size() <= ConvNode::kResidual ||
      integer_argument(node.def, "caffe2rt.joined", 0) != 0 ||
      integer_argument(node.def, "caffe2rt.residual_scale", 1) != 1)
    return false;
  const OperatorArgs args(node.def, c10::DeviceType::CPU);
  return ActivationFormat(args, "caffe2rt.residual") == ActivationFormat(args, "caffe2rt.y");
}

// Whether value `id` is read by layers alone, once by node `last` and never after it.
bool ends_in(const Graph& graph, ValueId id, size_t last) {
  if (std::ranges::find(graph.outputs, id) != graph.outputs.end()) return false;
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    const Node& node = graph.nodes[i];
    const auto reads = std::ranges::count(node.inputs, id);
    if (reads > 0 && (!is_layer(node) || i > last || (i == last && reads > 1))) return false;
  }
  return true;
}

}  // namespace

void reuse_residuals(Graph& graph) {
  set_producers(graph);
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    if (!can_overwrite(node)) continue;
    const ValueId residual = node.inputs[ConvNode::kResidual];
    const Node* const source = producer(graph, residual);
    if (source && is_layer(*source) && ends_in(graph, residual, i))
      set_argument(node.def, "caffe2rt.in_place", 1);
  }
}

}  // namespace caffe2rt
