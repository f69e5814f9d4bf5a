// Before: Conv(X, filter, ...) with a constant filter.
// After: caffe2rt.PackedConv(X, the same filter in oneDNN's layout, ...), so that no run has to lay it out
// anew.
#include <map>
#include <tuple>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "runtime/fused_kernels.h"

namespace caffe2rt {
namespace {

// Padding as oneDNN takes it; none where it is not the same on both sides, or cuts pixels off.
std::optional<std::vector<std::int64_t>> both_sides(const Window& window) {
  const std::vector<std::int64_t>& pads = window.pads;
  if (pads[0] != pads[2] || pads[1] != pads[3] || pads[0] < 0 || pads[1] < 0) return std::nullopt;
  return std::vector{pads[0], pads[1]};
}

void pack_convolutions(Graph& graph) {
  // Heads share their filters among levels.
  using Key = std::tuple<ValueId, std::vector<std::int64_t>, std::vector<std::int64_t>, std::int64_t>;
  std::map<Key, ValueId> packed;
  InputReplacer inputs(graph);
  for (Node& node : graph.nodes) {
    const auto conv = ConvNode::find(graph, node);
    if (!conv) continue;
    const Window& window = conv->window;
    const auto padding = both_sides(window);
    if (!padding) continue;
    const ValueId filter = node.inputs[ConvNode::kFilter];
    const auto [known, is_new] = packed.try_emplace({filter, window.stride, window.dilation, conv->group});
    if (is_new) {
      at::Tensor laid_out =
          fused::pack_convolution()(conv->filter.contiguous(at::MemoryFormat::ChannelsLast), *padding,
                                    window.stride, window.dilation, conv->group, std::nullopt);
      known->second = add_constant(graph, graph.values[filter].blob, std::move(laid_out));
    }
    inputs.replace(node, ConvNode::kFilter, known->second);
    node.def.type = "caffe2rt.PackedConv";
  }
}

}  // namespace

void pack_weights(Graph& graph) {
  if (fused::convolution().exists() && fused::convolution_add().exists() &&
      fused::pack_convolution().exists())
    pack_convolutions(graph);
}

}  // namespace caffe2rt
