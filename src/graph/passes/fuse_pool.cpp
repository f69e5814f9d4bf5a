// Before: caffe2rt.MatMulConv(X, ...) with a relu, of pixels in float32 -> Y -> MaxPool of windows of 3x3,
// two apart, padded by one -> Z, where nothing else reads Y: what every ResNet begins with. After:
// caffe2rt.MatMulConv(X, ...) with the argument caffe2rt.pooled -> Z. Y, the largest blob of the net, is not
// there; Z is the same to the last bit.
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool is_pool(const Node& node) {
  if (node.def.type != "MaxPool") return false;
  using Ints = std::vector<std::int64_t>;
  const Window window = Window::read(OperatorArgs(node.def, c10::DeviceType::CPU));
  return window.kernel == Ints{3, 3} && window.stride == Ints{2, 2} && window.pads == Ints{1, 1, 1, 1} &&
         window.dilation == Ints{1, 1} && !window.global && window.legacy_pad == LegacyPad::kNotSet &&
         window.order == StorageOrder::kNchw;
}

bool can_pool(const Node& node) {
  if (!reads_pixels(node) || integer_argument(node.def, "caffe2rt.relu", 0) == 0 || node.inputs.size() > 3)
    return false;
  using Ints = std::vector<std::int64_t>;
  const Window window = Window::read(OperatorArgs(node.def, c10::DeviceType::CPU));
  return window.kernel != Ints{1, 1} && window.dilation == Ints{1, 1};
}

}  // namespace

void fuse_pool(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    if (!can_pool(node)) continue;
    const auto pool = only_reader(graph, node.outputs.front(), readers);
    if (pool == graph.nodes.end() || !is_pool(*pool)) continue;
    set_output(graph, node, pool->outputs.front());
    set_argument(node.def, "caffe2rt.pooled", 1);
    graph.nodes.erase(pool);  // which is behind the node
  }
  set_producers(graph);
}

}  // namespace caffe2rt
