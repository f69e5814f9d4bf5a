// Before: in low precision, a layer -> Y in float32 -> layers that round Y, or add it to what they compute.
// After: the layer writes Y in the numbers that those multiply, which takes half or a quarter of the memory.
// What is multiplied stays as it was; what is added is rounded.
#include <map>
#include <optional>
#include <vector>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/activation.h"
#include "ops/matmul_kernel.h"

namespace caffe2rt {
namespace {

bool is_matmul(const Node& node) {
  return node.def.type == "caffe2rt.MatMulConv" || node.def.type == "caffe2rt.MatMulConvTranspose";
}

MatMulKind kind_of(const Node& node) {
  return MatMulKernel(OperatorArgs(node.def, c10::DeviceType::CPU)).kind();
}

bool can_write(const Node& node) {
  if (node.def.find("caffe2rt.alpha")) return false;  // a hard swish is computed where Y lies
  return node.def.type == "caffe2rt.WinogradConv" ||
         (is_matmul(node) && kind_of(node).precision != Precision::kFloat32);
}

Encoding encoding_of(const MatMulKind& kind) {
  if (kind.precision == Precision::kInt8) return {Format::kUint8, kind.input_scale, kind.input_zero};
  return {.format = Format::kBfloat16};
}

// What all readers of a value can do with it.
class Readers {
 public:
  void add(const Node& node, size_t input) {
    const bool is_residual = input == ConvNode::kResidual;
    if (!can_read(node) || (input != ConvNode::kX && !is_residual)) {
      agree_ = false;
    } else if (is_matmul(node) && !is_residual) {
      const Encoding encoding = encoding_of(kind_of(node));
      agree_ = agree_ && (!multiplied_ || *multiplied_ == encoding);
      multiplied_ = encoding;
    }
  }
  void add_caller() { agree_ = false; }

  // The numbers that they multiply, or `otherwise` where none of them says; none where they need float32.
  std::optional<Encoding> choose(const Encoding& otherwise) const {
    return agree_ ? std::optional(multiplied_.value_or(otherwise)) : std::nullopt;
  }

 private:
  static bool can_read(const Node& node) {
    return node.def.type == "caffe2rt.WinogradConv" ||
           (is_matmul(node) && kind_of(node).precision != Precision::kFloat32);
  }

  bool agree_ = true;
  std::optional<Encoding> multiplied_;
};

Encoding encoding_for(const std::string& blob, const PassOptions& options) {
  if (options.precision == Precision::kInt8 && options.calibration)
    if (const auto range = options.calibration->ranges.find(blob); range != options.calibration->ranges.end())
      return encoding_of(quantized(range->second));
  return {.format = Format::kBfloat16};
}

}  // namespace

void narrow_activations(Graph& graph, const PassOptions& options) {
  if (options.precision == Precision::kFloat32) return;
  std::vector<Readers> readers(graph.values.size());
  for (const ValueId id : graph.outputs) readers[id].add_caller();
  for (const Node& node : graph.nodes)
    for (size_t i = 0; i < node.inputs.size(); i++) readers[node.inputs[i]].add(node, i);
  std::map<ValueId, Encoding> narrow;
  for (Node& node : graph.nodes) {
    if (!can_write(node)) continue;
    const ValueId y = node.outputs.front();
    const auto encoding = readers[y].choose(encoding_for(graph.values[y].blob, options));
    if (!encoding) continue;
    ActivationFormat::set(node.def, "caffe2rt.y", *encoding);
    narrow[y] = *encoding;
  }
  for (Node& node : graph.nodes)
    for (size_t i = 0; i < node.inputs.size(); i++)
      if (const auto found = narrow.find(node.inputs[i]); found != narrow.end())
        ActivationFormat::set(node.def, i == ConvNode::kX ? "caffe2rt.x" : "caffe2rt.residual",
                              found->second);
}

}  // namespace caffe2rt
