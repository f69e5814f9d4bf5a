// Before: Conv(X, filter, bias) -> logits of every class -> Sigmoid -> mask_fcn_probs, where nothing else
// reads the logits. After: caffe2rt.MaskOfClass(X, filter, bias, class_nms) -> logits of the predicted class
// -> Sigmoid, an eightieth of the products and of the memory. Only for a caller who reads no other masks.
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

// The node that makes a value; null where none does, or where others read the value too.
Node* sole_maker(Graph& graph, ValueId id, const std::vector<int>& readers) {
  const int producer = id < 0 ? -1 : graph.values[id].producer;
  return producer >= 0 && readers[id] == 1 ? &graph.nodes[producer] : nullptr;
}

bool is_linear_classifier(const Graph& graph, const Node& node) {
  const auto conv = ConvNode::find(graph, node);
  if (!conv) return false;
  const Window& window = conv->window;
  const std::vector<std::int64_t> one = {1, 1}, none(4);
  return conv->group == 1 && conv->filter.size(0) > 1 && window.kernel == one && window.stride == one &&
         window.pads == none && node.inputs.size() == ConvNode::kResidual && !node.def.find("caffe2rt.relu");
}

}  // namespace

void pick_masks(Graph& graph, const PassOptions& options) {
  if (!options.only_predicted_masks) return;
  set_producers(graph);
  const std::vector<int> readers = count_readers(graph);
  const ValueId classes = graph.last_value("class_nms");
  const Node* sigmoid = sole_maker(graph, graph.last_value("mask_fcn_probs"), readers);
  if (!sigmoid || sigmoid->def.type != "Sigmoid" || classes < 0) return;
  Node* conv = sole_maker(graph, sigmoid->inputs.front(), readers);
  // The class must be known before the mask.
  if (!conv || !is_linear_classifier(graph, *conv) ||
      graph.values[classes].producer >= graph.values[conv->outputs.front()].producer)
    return;
  conv->def.type = "caffe2rt.MaskOfClass";
  conv->def.args.clear();
  std::vector<ValueId> inputs = conv->inputs;
  inputs.push_back(classes);
  set_inputs(graph, *conv, std::move(inputs));
}

}  // namespace caffe2rt
