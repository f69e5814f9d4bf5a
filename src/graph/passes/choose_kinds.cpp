#include "graph/passes/choose_kinds.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "graph/passes/rewrite.h"
#include "kernels/dot_conv.h"

namespace caffe2rt {
namespace {

bool is_layer(const Node& node) {
  constexpr std::string_view kTypes[] = {"Conv", "FC", "ConvTranspose", "caffe2rt.WinogradConv"};
  return std::ranges::find(kTypes, node.def.type) != std::end(kTypes);
}

// Operators that make boxes of numbers: what they read are results.
bool makes_boxes(const Node& node) {
  constexpr std::string_view kTypes[] = {"GenerateProposals", "GenerateProposalsCPP",
                                         "caffe2rt.GenerateProposals", "BBoxTransform", "BoxWithNMSLimit"};
  return std::ranges::find(kTypes, node.def.type) != std::end(kTypes);
}

// By value: another layer reads it, be it through operators in between.
std::vector<bool> read_by_layers(const Graph& graph) {
  std::vector<bool> read(graph.values.size());
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (makes_boxes(*node)) continue;
    const bool passes_on = std::ranges::any_of(node->outputs, [&](ValueId id) { return read[id]; });
    if (is_layer(*node))
      read[node->inputs.front()] = true;
    else if (passes_on)
      for (const ValueId id : node->inputs) read[id] = true;
    // A layer's residual is passed on like what it is added to.
    if (is_layer(*node) && passes_on)
      for (size_t i = 3; i < node->inputs.size(); i++) read[node->inputs[i]] = true;
  }
  return read;
}

}  // namespace

std::vector<MatMulKind> choose_kinds(const Graph& graph, const PassOptions& options) {
  std::vector<MatMulKind> kinds(graph.nodes.size());
  if (options.precision == Precision::kBfloat16)
    std::ranges::fill(kinds, MatMulKind{.precision = Precision::kBfloat16});
  if (options.precision != Precision::kInt8 || !options.calibration) return kinds;
  // What 8 bits are too few for.
  if (dot_conv::has(dot_conv::Way::kVectors, dot_conv::Kind::kBfloat16))
    std::ranges::fill(kinds, MatMulKind{.precision = Precision::kBfloat16});
  const std::vector<bool> read = read_by_layers(graph);
  bool any = false;
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    const Node& node = graph.nodes[i];
    if (!is_layer(node) || node.outputs.empty() || !read[node.outputs.front()]) continue;
    const at::Tensor* weights = constant_input(graph, node, 1);
    const auto range = options.calibration->ranges.find(graph.values[node.inputs.front()].blob);
    if (!weights || weights->dim() < 2 || range == options.calibration->ranges.end()) continue;
    kinds[i] = quantized(range->second);
    any = true;
  }
  require(
      any || options.calibration->ranges.empty(), ErrorCode::kGraph,
      "precision int8: the calibration names no blob that a layer of this net reads: it is another net's");
  return kinds;
}

}  // namespace caffe2rt
