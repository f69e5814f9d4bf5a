// Before: R -> ResizeNearest by 2 -> U; caffe2rt.MatMulConv(X, filter, bias, U), where nothing else reads U:
// the top-down path of a feature pyramid. After: caffe2rt.MatMulConv(X, filter, bias, R) that adds each pixel
// of R to four, which saves a tensor of the size of the result.
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool doubles(const Node& node) {
  if (node.def.type != "ResizeNearest" || node.inputs.size() != 1 || !in_nchw(node.def)) return false;
  return number_argument(node.def, "height_scale", 1) == 2 &&
         number_argument(node.def, "width_scale", 1) == 2;
}

}  // namespace

void fuse_upsample(Graph& graph) {
  set_producers(graph);
  const std::vector<int> readers = count_readers(graph);
  for (Node& node : graph.nodes) {
    if (node.def.type != "caffe2rt.MatMulConv" || node.inputs.size() <= ConvNode::kResidual) continue;
    const ValueId residual = node.inputs[ConvNode::kResidual];
    const int producer = graph.values[residual].producer;
    if (producer < 0 || readers[residual] != 1 || !doubles(graph.nodes[producer])) continue;
    std::vector<ValueId> inputs = node.inputs;
    inputs[ConvNode::kResidual] = graph.nodes[producer].inputs.front();
    set_inputs(graph, node, std::move(inputs));
    set_argument(node.def, "caffe2rt.residual_scale", 2);
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
