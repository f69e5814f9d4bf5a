// Before: RoIAlign -> Flatten -> FC(X, W).
// After: RoIAlign -> FC with the argument caffe2rt.channels_last and W's columns in the order in which pooled
// features lie in memory, so that no run has to lay them out anew.
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool pools_regions(const Node& node) {
  return (node.def.type == "RoIAlign" || node.def.type == "caffe2rt.PyramidRoIAlign") && in_nchw(node.def);
}

}  // namespace

void flatten_channels_last(Graph& graph) {
  set_producers(graph);
  for (Node& node : graph.nodes) {
    if (node.def.type != "FC" || integer_argument(node.def, "axis", 1) != 1 ||
        integer_argument(node.def, "axis_w", 1) != 1)
      continue;
    const Node* flatten = producer(graph, node.inputs.front());
    if (!flatten || flatten->def.type != "Flatten" || integer_argument(flatten->def, "axis", 1) != 1)
      continue;
    const Node* pooled = producer(graph, flatten->inputs.front());
    if (!pooled || !pools_regions(*pooled)) continue;
    const at::Tensor* weights = constant_input(graph, node, 1);
    const std::int64_t height = integer_argument(pooled->def, "pooled_h", 1),
                       width = integer_argument(pooled->def, "pooled_w", 1);
    if (!weights || weights->dim() != 2 || height < 1 || width < 1 ||
        weights->size(1) % (height * width) != 0)
      continue;
    const at::Tensor laid_out = weights->reshape({weights->size(0), -1, height, width})
                                    .permute({0, 2, 3, 1})
                                    .reshape(weights->sizes());
    std::vector<ValueId> inputs = node.inputs;
    inputs[0] = flatten->inputs.front();
    inputs[1] = add_constant(graph, graph.values[inputs[1]].blob, laid_out);
    set_inputs(graph, node, std::move(inputs));
    set_argument(node.def, "caffe2rt.channels_last", 1);
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
