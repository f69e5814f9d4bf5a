// Before: Conv, caffe2rt.MatMulConv, caffe2rt.DepthwiseConv or caffe2rt.PackedConv -> Y -> caffe2rt.HardSwish
// -> Z, where nothing else reads Y. After: the convolution with the arguments caffe2rt.alpha and
// caffe2rt.beta -> Z, written while Y is near the processor.
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/hard_swish.h"

namespace caffe2rt {
namespace {

bool takes_hard_swish(const Node& node, const HardSwish& f) {
  if (node.outputs.size() != 1 || node.def.find("caffe2rt.relu")) return false;
  for (const char* type : {"Conv", "caffe2rt.MatMulConv", "caffe2rt.DepthwiseConv"})
    if (node.def.type == type) return static_cast<bool>(f);
  // oneDNN's has one gate.
  return node.def.type == "caffe2rt.PackedConv" && node.inputs.size() <= ConvNode::kResidual &&
         f.alpha == 1.0F / 6 && f.beta == 0.5F;
}

void add_float(OperatorDef& def, const char* name, float value) {
  Argument arg;
  arg.name = name;
  arg.f = value;
  def.args.push_back(std::move(arg));
}

}  // namespace

void fuse_hard_swish(Graph& graph) {
  set_producers(graph);
  const std::vector<int> readers = count_readers(graph);
  std::vector<bool> joined(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    const Node& node = graph.nodes[i];
    if (node.def.type != "caffe2rt.HardSwish") continue;
    const ValueId between = node.inputs.front();
    const int producer = graph.values[between].producer;
    const OperatorArgs args(node.def, c10::DeviceType::CPU);
    const HardSwish f{args.get("alpha", 0.2F), args.get("beta", 0.5F)};
    if (producer < 0 || readers[between] != 1 || !takes_hard_swish(graph.nodes[producer], f)) continue;
    Node& conv = graph.nodes[producer];
    set_output(graph, conv, node.outputs.front());
    add_float(conv.def, "caffe2rt.alpha", f.alpha);
    add_float(conv.def, "caffe2rt.beta", f.beta);
    joined[i] = true;
  }
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); i++)
    if (!joined[i]) nodes.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(nodes);
  set_producers(graph);
}

}  // namespace caffe2rt
