#include "graph/passes/choose_kinds.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "graph/passes/conv_node.h"
#include "graph/passes/rewrite.h"
#include "kernels/matmul_conv.h"

namespace caffe2rt {
namespace {

bool is_layer(const Node& node) {
  constexpr std::string_view kTypes[] = {"Conv", "FC", "ConvTranspose", "caffe2rt.WinogradConv",
                                         "caffe2rt.WinogradHead"};
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

// A window over pixels of few channels, which is read as it lies in memory: there is no rounding on the way,
// and little to multiply.
bool sees_pixels(const Graph& graph, const Node& node) {
  const auto conv = ConvNode::find(graph, node);
  return conv && conv->group == 1 && conv->filter.size(1) <= matmul_conv::kFewChannels &&
         conv->window.kernel != std::vector<std::int64_t>{1, 1};
}

// Layers whose input has a range and whose results others read.
void choose_int8(const Graph& graph, const Calibration& calibration, std::vector<MatMulKind>& kinds) {
  const std::vector<bool> read = read_by_layers(graph);
  bool any = false;
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    const Node& node = graph.nodes[i];
    if (!is_layer(node) || node.outputs.empty()) continue;
    const auto range = calibration.ranges.find(graph.values[node.inputs.front()].blob);
    if (range == calibration.ranges.end()) continue;
    any = true;
    const at::Tensor* weights = constant_input(graph, node, 1);
    if (!read[node.outputs.front()] || !weights || weights->dim() < 2) continue;
    kinds[i] = quantized(range->second);
  }
  require(
      any || calibration.ranges.empty(), ErrorCode::kGraph,
      "precision int8: the calibration names no blob that a layer of this net reads: it is another net's");
}

}  // namespace

std::vector<MatMulKind> choose_kinds(const Graph& graph, const PassOptions& options) {
  if (options.precision == Precision::kFloat32) return std::vector<MatMulKind>(graph.nodes.size());
  std::vector<MatMulKind> kinds(graph.nodes.size(), {.precision = Precision::kBfloat16});
  if (options.calibration && options.precision == Precision::kInt8)
    choose_int8(graph, *options.calibration, kinds);
  for (size_t i = 0; i < graph.nodes.size(); i++)
    if (sees_pixels(graph, graph.nodes[i])) kinds[i] = {};
  return kinds;
}

}  // namespace caffe2rt
