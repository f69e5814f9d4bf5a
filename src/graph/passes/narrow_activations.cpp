// Before: in low precision, a layer -> Y in float32 -> layers that round Y, or add it to what they compute.
// After: the layer writes Y in the numbers that those multiply, which takes half or a quarter of the memory.
// What is only multiplied stays as it was; what is also added, or multiplied in several ways, becomes
// bfloat16. What Winograd's way transforms becomes what the layer's input would be without it.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/activation.h"
#include "ops/matmul_kernel.h"

namespace caffe2rt {
namespace {

constexpr Encoding kBfloat16{.format = Format::kBfloat16};

// The numbers that a layer multiplies, or would without Winograd's way; none of other operators, and of
// layers in float32.
std::optional<Encoding> multiplied(const Node& node) {
  constexpr std::string_view kTypes[] = {"caffe2rt.WinogradConv", "caffe2rt.WinogradHead",
                                         "caffe2rt.MatMulConv", "caffe2rt.MatMulConvTranspose"};
  if (std::ranges::find(kTypes, node.def.type) == std::end(kTypes)) return std::nullopt;
  const MatMulKind kind = MatMulKernel(OperatorArgs(node.def, c10::DeviceType::CPU)).kind();
  if (kind.precision == Precision::kFloat32) return std::nullopt;
  if (kind.precision == Precision::kInt8) return Encoding{Format::kUint8, kind.input_scale, kind.input_zero};
  return kBfloat16;
}

// Layers in float32 leave their results as they are, but for what is pooled, which is small; a head's are
// results of the net; and a hard swish is computed where the result lies, in float32.
bool can_write(const Node& node) {
  if (node.def.find("caffe2rt.pooled")) return true;
  return multiplied(node) && node.def.type != "caffe2rt.WinogradHead" && !node.def.find("caffe2rt.alpha");
}

// What a node's input may be; none where it has to be float32.
std::optional<Encoding> readable(const Node& node, size_t input) {
  const auto encoding = multiplied(node);
  if (input == ConvNode::kX || !encoding) return encoding;
  return input == ConvNode::kResidual ? std::optional(kBfloat16) : std::nullopt;
}

// By value, as what it can be written; those that are not here have to be float32.
std::map<ValueId, Encoding> choose(const Graph& graph) {
  std::map<ValueId, Encoding> narrow;
  for (const Node& node : graph.nodes) {
    if (!can_write(node)) continue;
    const ValueId y = node.outputs.front();
    bool possible = std::ranges::find(graph.outputs, y) == graph.outputs.end();
    std::vector<Encoding> wanted;
    for (const Node& reader : graph.nodes)
      for (size_t i = 0; i < reader.inputs.size(); i++) {
        if (reader.inputs[i] != y) continue;
        const auto encoding = readable(reader, i);
        possible = possible && encoding;
        wanted.push_back(encoding.value_or(Encoding()));
      }
    if (!possible || wanted.empty()) continue;
    const bool agree = std::ranges::count(wanted, wanted.front()) == std::ssize(wanted);
    narrow[y] = agree ? wanted.front() : kBfloat16;
  }
  return narrow;
}

}  // namespace

void narrow_activations(Graph& graph, const PassOptions& options) {
  if (options.precision == Precision::kFloat32) return;
  const std::map<ValueId, Encoding> narrow = choose(graph);
  for (Node& node : graph.nodes) {
    const auto set = [&](ValueId id, const char* name) {
      if (const auto found = narrow.find(id); found != narrow.end())
        ActivationFormat::set(node.def, name, found->second);
    };
    for (size_t i = 0; i < node.inputs.size(); i++)
      set(node.inputs[i], i == ConvNode::kX ? "caffe2rt.x" : "caffe2rt.residual");
    for (const ValueId id : node.outputs) set(id, "caffe2rt.y");
  }
}

}  // namespace caffe2rt
