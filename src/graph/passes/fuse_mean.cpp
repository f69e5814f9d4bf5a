// Before: Sub(X, mean of each channel) -> Y; caffe2rt.MatMulConv(Y, ...) of pixels in float32, where nothing
// else reads Y. After: caffe2rt.MatMulConv(X, ...) with the argument caffe2rt.mean, taken off while X is
// read: what is outside the image stays zero, and each difference is rounded as before.
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {

void fuse_mean(Graph& graph) {
  set_producers(graph);
  const std::vector<int> readers = count_readers(graph);
  for (Node& node : graph.nodes) {
    if (!reads_pixels(node)) continue;
    const ValueId between = node.inputs.front();
    const int producer = graph.values[between].producer;
    if (producer < 0 || readers[between] != 1 || graph.nodes[producer].def.type != "Sub") continue;
    const Node& difference = graph.nodes[producer];
    const at::Tensor* mean =
        channel_constant(graph, difference, 1, integer_argument(node.def, "caffe2rt.channels", 0));
    if (!mean) continue;
    Argument arg;
    arg.name = "caffe2rt.mean";
    const at::Tensor numbers = mean->contiguous();
    const float* first = numbers.const_data_ptr<float>();
    arg.floats = std::vector<float>(first, first + numbers.numel());
    node.def.args.push_back(std::move(arg));
    std::vector<ValueId> inputs = node.inputs;
    inputs.front() = difference.inputs.front();
    set_inputs(graph, node, std::move(inputs));
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
