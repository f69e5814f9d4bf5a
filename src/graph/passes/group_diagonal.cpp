// Before: ConvTranspose(X, filter (C,C,KH,KW)) whose filter is zero off the diagonal, which is how bilinear
// upsampling is exported.
// After: ConvTranspose(X, diagonal (C,1,KH,KW)) with as many groups as channels: a C-th of the products.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

// The diagonal of a filter that is zero elsewhere; none for others.
std::optional<at::Tensor> diagonal_of(const at::Tensor& filter) {
  if (filter.dim() != 4 || filter.size(0) != filter.size(1) || filter.size(0) < 2 ||
      filter.scalar_type() != at::kFloat)
    return std::nullopt;
  const at::Tensor elsewhere =
      at::eye(filter.size(0), at::kBool).logical_not().view({filter.size(0), -1, 1, 1});
  if (((filter != 0).logical_and(elsewhere)).any().item<bool>()) return std::nullopt;
  return filter.diagonal(0, 0, 1).permute({2, 0, 1}).unsqueeze(1).contiguous();
}

}  // namespace

void group_diagonal(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.def.type != "ConvTranspose" || !in_nchw(node.def) || integer_argument(node.def, "group", 1) != 1)
      continue;
    const at::Tensor* filter = constant_input(graph, node, 1);
    const auto diagonal = filter ? diagonal_of(*filter) : std::nullopt;
    if (!diagonal) continue;
    std::vector<ValueId> inputs = node.inputs;
    inputs[1] = add_constant(graph, graph.values[inputs[1]].blob, *diagonal);
    set_inputs(graph, node, std::move(inputs));
    set_argument(node.def, "group", diagonal->size(0));
  }
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
