// Before: Conv(X, filter, bias) with a group for each channel, a filter for each group, 16 channels or more,
// no dilation and weights that are constants. After: caffe2rt.DepthwiseConv(X, packed weights).
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/depthwise.h"

namespace caffe2rt {
namespace {

bool suits(const Graph& graph, const Node& node, const ConvNode& conv) {
  const bool has_bias = node.inputs.size() > ConvNode::kBias;
  return conv.filter.size(0) == conv.group && conv.filter.size(1) == 1 &&
         conv.group >= depthwise::kLeastChannels && conv.window.dilation == std::vector<std::int64_t>{1, 1} &&
         node.inputs.size() <= ConvNode::kResidual &&
         (!has_bias || constant_input(graph, node, ConvNode::kBias));
}

}  // namespace

void use_depthwise(Graph& graph, const PassOptions& options) {
  for (Node& node : graph.nodes) {
    const auto conv = ConvNode::find(graph, node);
    if (!conv || !suits(graph, node, *conv) ||
        options.tuning.prefers(node.def.outputs.front(), ConvWay::kPacked))
      continue;
    const at::Tensor* bias = constant_input(graph, node, ConvNode::kBias);
    const std::string blob = graph.values[node.inputs[ConvNode::kFilter]].blob;
    const ValueId weights =
        add_constant(graph, blob, pack_depthwise(conv->filter, bias ? std::optional(*bias) : std::nullopt));
    set_inputs(graph, node, {node.inputs[ConvNode::kX], weights});
    node.def.type = "caffe2rt.DepthwiseConv";
  }
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
