// Before: ResizeNearest or UpsampleBilinear (x, scales), the scales a constant (2): height and width.
// After: the same operator (x), the scales its arguments: nobody has to ask for them in a run.
#include <ATen/core/Tensor.h>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {

void fold_scales(Graph& graph) {
  for (Node& node : graph.nodes) {
    if ((node.def.type != "ResizeNearest" && node.def.type != "UpsampleBilinear") || node.inputs.size() != 2)
      continue;
    const at::Tensor* scales = constant_input(graph, node, 1);
    if (!scales || scales->numel() != 2 || scales->scalar_type() != at::kFloat) continue;
    const at::Tensor values = scales->contiguous();
    const char* names[] = {"height_scale", "width_scale"};
    for (int i = 0; i < 2; i++) {
      std::erase_if(node.def.args, [&](const Argument& arg) { return arg.name == names[i]; });
      node.def.args.push_back({.name = names[i], .f = values.const_data_ptr<float>()[i]});
    }
    set_inputs(graph, node, {node.inputs[0]});
  }
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
