// Before: Conv(X, filter, bias) -> AffineChannel or SpatialBN -> Y, with weights that are constants; or
// Div(X, std of each channel) -> Conv.
// After: Conv(X, scaled filter, scaled and shifted bias) -> Y. A division before a convolution is folded
// because the zeros of its padding stay zeros; a subtraction is left to fuse_mean.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

// What a node does to each channel: x * scale + shift.
struct Affine {
  at::Tensor scale, shift;  // (C) float32

  static std::optional<Affine> of(const Graph& graph, const Node& node) {
    if (!in_nchw(node.def)) return std::nullopt;
    std::vector<at::Tensor> constants;
    for (size_t i = 1; i < node.inputs.size(); i++) {
      const at::Tensor* value = constant_input(graph, node, i);
      if (!value || value->dim() != 1 || value->scalar_type() != at::kFloat) return std::nullopt;
      constants.push_back(*value);
    }
    if (node.def.type == "AffineChannel" && constants.size() == 2) return Affine{constants[0], constants[1]};
    if (node.def.type != "SpatialBN" || constants.size() != 4 || node.outputs.size() != 1)
      return std::nullopt;
    const at::Tensor scale =
        constants[0] * (constants[3] + number_argument(node.def, "epsilon", 1e-5F)).rsqrt();
    return Affine{scale, constants[1] - constants[2] * scale};
  }
};

bool is_plain_conv(const Node& node) {
  return node.inputs.size() <= ConvNode::kBias + 1 && !node.def.find("caffe2rt.relu");
}

void set_weights(Graph& graph, Node& node, const at::Tensor& filter, const at::Tensor& bias) {
  std::vector<ValueId> inputs = node.inputs;
  const std::string name = graph.values[inputs[ConvNode::kFilter]].blob;
  inputs.resize(ConvNode::kBias + 1);
  inputs[ConvNode::kFilter] = add_constant(graph, name, filter);
  inputs[ConvNode::kBias] = add_constant(graph, name + "/bias", bias);
  set_inputs(graph, node, std::move(inputs));
}

at::Tensor bias_of(const Graph& graph, const Node& node, std::int64_t filters) {
  const at::Tensor* bias = constant_input(graph, node, ConvNode::kBias);
  return bias ? *bias : at::zeros({filters});
}

bool has_constant_bias(const Graph& graph, const Node& node) {
  return node.inputs.size() <= ConvNode::kBias || constant_input(graph, node, ConvNode::kBias);
}

// Folds what comes after a convolution into it. Returns whether it did.
bool fold_after(Graph& graph, Node& conv, const Node& affine) {
  const auto found = ConvNode::find(graph, conv);
  const auto what = Affine::of(graph, affine);
  if (!found || !what || !is_plain_conv(conv) || !has_constant_bias(graph, conv)) return false;
  const std::int64_t filters = found->filter.size(0);
  if (what->scale.size(0) != filters || what->shift.size(0) != filters) return false;
  const at::Tensor bias = bias_of(graph, conv, filters) * what->scale + what->shift;
  set_weights(graph, conv, found->filter * what->scale.view({-1, 1, 1, 1}), bias);
  set_output(graph, conv, affine.outputs.front());
  return true;
}

// Folds a division of each channel before a convolution into it.
void fold_before(Graph& graph, Node& conv, const Node& division) {
  const auto found = ConvNode::find(graph, conv);
  if (!found || found->group != 1) return;
  const at::Tensor* divisor = channel_constant(graph, division, 1, found->filter.size(1));
  if (!divisor || (*divisor == 0).any().item<bool>()) return;
  std::vector<ValueId> inputs = conv.inputs;
  inputs[ConvNode::kX] = division.inputs.front();
  inputs[ConvNode::kFilter] = add_constant(graph, graph.values[inputs[ConvNode::kFilter]].blob,
                                           found->filter / divisor->reshape({1, -1, 1, 1}));
  set_inputs(graph, conv, std::move(inputs));
}

}  // namespace

void fold_affine(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::vector<Node> nodes;
  std::vector<int> writer(graph.values.size(), -1);  // index into nodes
  const auto written_by = [&](ValueId id, const char* type) -> Node* {
    const int n = static_cast<size_t>(id) < writer.size() ? writer[id] : -1;
    return n >= 0 && nodes[n].def.type == type && readers[id] == 1 ? &nodes[n] : nullptr;
  };
  for (Node& node : graph.nodes) {
    Node* const conv = node.inputs.empty() ? nullptr : written_by(node.inputs.front(), "Conv");
    if (conv && fold_after(graph, *conv, node)) {
      writer[node.outputs.front()] = writer[node.inputs.front()];
      continue;
    }
    if (node.def.type == "Conv")
      if (const Node* division = written_by(node.inputs.front(), "Div")) fold_before(graph, node, *division);
    for (const ValueId id : node.outputs) writer[id] = static_cast<int>(nodes.size());
    nodes.push_back(node);
  }
  graph.nodes = std::move(nodes);
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
