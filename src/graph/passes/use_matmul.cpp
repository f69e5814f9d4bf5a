// Before: Conv(X, filter, ...) without groups, ConvTranspose(X, filter, ...) with a 2x2 window of stride 2,
// FC(X, W, b), with weights that are constants.
// After: caffe2rt.MatMulConv, caffe2rt.MatMulConvTranspose and caffe2rt.MatMulFC with packed weights.
#include <ATen/ops/stack.h>

#include <map>
#include <string>
#include <tuple>

#include "graph/passes/choose_kinds.h"
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/matmul_kernel.h"

namespace caffe2rt {
namespace {

// The weights of an FC whose matrix is (N,K) as it lies in memory; null for others.
const at::Tensor* matrix_of(const Graph& graph, const Node& node) {
  if (node.def.type != "FC" || node.inputs.size() != 3 || integer_argument(node.def, "axis", 1) != 1 ||
      integer_argument(node.def, "axis_w", 1) != 1)
    return nullptr;
  const at::Tensor* weights = constant_input(graph, node, 1);
  return weights && weights->dim() >= 2 && weights->scalar_type() == at::kFloat && weights->numel() > 0
             ? weights
             : nullptr;
}

// The filter of a transposed convolution whose windows lie side by side; null for others.
const at::Tensor* side_by_side(const Graph& graph, const Node& node) {
  if (node.def.type != "ConvTranspose") return nullptr;
  const at::Tensor* filter = constant_input(graph, node, 1);
  if (!filter || filter->dim() != 4 || filter->scalar_type() != at::kFloat || filter->numel() == 0)
    return nullptr;
  const OperatorArgs args(node.def, filter->device());
  const Window window = at_place([&] { return node.place(); }, [&] { return Window::read(args); });
  const std::vector<std::int64_t> two = {2, 2};
  const bool fits = window.order == StorageOrder::kNchw && window.kernel == two && window.stride == two &&
                    window.pads == std::vector<std::int64_t>(4) && filter->size(2) == 2 &&
                    filter->size(3) == 2;
  const bool shifted = args.has("adj") || args.has("adjs") || args.has("adj_h");
  return fits && !shifted && args.get("group", std::int64_t{1}) == 1 ? filter : nullptr;
}

class Packer {
 public:
  explicit Packer(Graph& graph) : graph_(graph), inputs_(graph) {}

  // Puts packed weights in the place of input 1; heads that share theirs among levels share the packed ones.
  void replace(Node& node, const at::Tensor& weights, const char* type, const MatMulKind& kind) {
    replace(
        node, [&] { return pack_matmul(weights, kind); }, type, kind);
    set_argument(node.def, "caffe2rt.filters", weights.size(0));
  }

  // The same of a filter (C,M,2,2): each pixel of its window for itself.
  void replace_transposed(Node& node, const at::Tensor& filter, MatMulKind kind) {
    if (kind.precision == Precision::kInt8) kind = MatMulKind();
    const auto pack = [&] {
      std::vector<at::Tensor> pixels;
      pixels.reserve(4);
      for (int i = 0; i < 4; i++)
        pixels.push_back(pack_matmul(filter.select(3, i % 2).select(2, i / 2).t(), kind));
      return at::stack(pixels);
    };
    replace(node, pack, "caffe2rt.MatMulConvTranspose", kind);
    set_argument(node.def, "caffe2rt.filters", filter.size(1));
    set_argument(node.def, "caffe2rt.channels", filter.size(0));
  }

 private:
  template <class Pack>
  void replace(Node& node, Pack&& pack, const char* type, const MatMulKind& kind) {
    const ValueId weights = node.inputs[1];
    const auto [known, is_new] =
        packed_.try_emplace({type, weights, kind.precision, kind.input_scale, kind.input_zero});
    if (is_new) known->second = add_constant(graph_, graph_.values[weights].blob, pack());
    inputs_.replace(node, 1, known->second);
    node.def.type = type;
    MatMulKernel::set_kind(node.def, kind);
  }

  Graph& graph_;
  InputReplacer inputs_;
  std::map<std::tuple<std::string, ValueId, Precision, float, int>, ValueId> packed_;
};

}  // namespace

void use_matmul(Graph& graph, const PassOptions& options) {
  Packer packer(graph);
  const std::vector<MatMulKind> kinds = choose_kinds(graph, options);
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    if (const auto conv = ConvNode::find(graph, node);
        conv && conv->group == 1 && options.tuning.allows(node.def.outputs.front(), ConvWay::kMatMul)) {
      packer.replace(node, conv->filter, "caffe2rt.MatMulConv", kinds[i]);
      set_argument(node.def, "caffe2rt.channels", conv->filter.size(1));
    } else if (const at::Tensor* filter = side_by_side(graph, node)) {
      packer.replace_transposed(node, at::Tensor(*filter), kinds[i]);  // the graph's own goes
    } else if (const at::Tensor* found = matrix_of(graph, node)) {
      const at::Tensor weights = found->reshape({found->size(0), -1});
      packer.replace(node, weights, "caffe2rt.MatMulFC", kinds[i]);
      set_argument(node.def, "caffe2rt.depth", weights.size(1));
    }
  }
}

}  // namespace caffe2rt
