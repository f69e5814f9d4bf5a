// Before: caffe2rt.DepthwiseConv(X, depthwise) -> Y; caffe2rt.MatMulConv(Y, filter, bias[, R]) -> Z in
// float32, with a window of one pixel, where nothing else reads Y. After: caffe2rt.SeparableConv(X,
// depthwise, filter, bias[, R]) -> Z, which saves a tensor of the size of Y.
#include <algorithm>
#include <map>
#include <string>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/window.h"

namespace caffe2rt {
namespace {

bool is_pointwise(const Node& node) {
  if (node.def.type != "caffe2rt.MatMulConv" || node.inputs.size() <= ConvNode::kBias ||
      integer_argument(node.def, "caffe2rt.precision", 0) != 0)
    return false;
  const Window window = at_place([&] { return node.place(); },
                                 [&] { return Window::read(OperatorArgs(node.def, c10::DeviceType::CPU)); });
  const std::vector<std::int64_t> one = {1, 1};
  return window.kernel == one && window.stride == one &&
         std::ranges::all_of(window.pads, [](auto pad) { return pad == 0; });
}

bool is_ours(const Argument& arg) { return arg.name.starts_with("caffe2rt."); }

// The window of the depthwise one, and what the other does; the depthwise one's activation by other names.
std::vector<Argument> join_arguments(const OperatorDef& depthwise, const OperatorDef& pointwise) {
  const std::map<std::string, std::string> between = {{"caffe2rt.relu", "caffe2rt.relu_between"},
                                                      {"caffe2rt.alpha", "caffe2rt.alpha_between"},
                                                      {"caffe2rt.beta", "caffe2rt.beta_between"}};
  std::vector<Argument> args;
  for (Argument arg : depthwise.args) {
    if (const auto name = between.find(arg.name); name != between.end()) arg.name = name->second;
    args.push_back(std::move(arg));
  }
  std::ranges::copy_if(pointwise.args, std::back_inserter(args), is_ours);
  return args;
}

}  // namespace

void join_separable(Graph& graph) {
  set_producers(graph);
  const std::vector<int> readers = count_readers(graph);
  for (Node& node : graph.nodes) {
    const ValueId between = node.inputs.empty() ? -1 : node.inputs.front();
    const int producer = between < 0 ? -1 : graph.values[between].producer;
    if (producer < 0 || readers[between] != 1 || graph.nodes[producer].def.type != "caffe2rt.DepthwiseConv" ||
        !is_pointwise(node))
      continue;
    const Node& depthwise = graph.nodes[producer];
    std::vector<ValueId> inputs = depthwise.inputs;
    inputs.insert(inputs.end(), node.inputs.begin() + ConvNode::kFilter, node.inputs.end());
    node.def.type = "caffe2rt.SeparableConv";
    node.def.args = join_arguments(depthwise.def, node.def);
    set_inputs(graph, node, std::move(inputs));
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
