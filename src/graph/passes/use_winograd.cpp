// Before: Conv(X, filter (M,C,3,3), ...), stride 1, a filter that is a constant.
// After: caffe2rt.WinogradConv(X, packed filter, ...), in float32 where the net is in bfloat16 too.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>

#include "graph/passes/choose_kinds.h"
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/winograd.h"

namespace caffe2rt {
namespace {

// With fewer the transforms cost more than the products save.
constexpr std::int64_t kLeastChannels = 16, kLeastChannelsBesideBfloat16 = 128;

// bfloat16 halves the time of a product, Winograd's way takes a quarter of the products, and 8 bit numbers
// take a quarter of the time without transforms.
bool has_channels(const ConvNode& conv, Precision precision) {
  const std::int64_t least =
      precision == Precision::kBfloat16 ? kLeastChannelsBesideBfloat16 : kLeastChannels;
  return precision != Precision::kInt8 && std::min(conv.filter.size(0), conv.filter.size(1)) >= least;
}

bool suits(const ConvNode& conv, Precision precision) {
  const Window& window = conv.window;
  using Pair = std::vector<std::int64_t>;
  const bool padded = window.pads == std::vector<std::int64_t>(4, 1),
             unpadded = window.pads == std::vector<std::int64_t>(4);
  return window.kernel == Pair{3, 3} && window.stride == Pair{1, 1} && window.dilation == Pair{1, 1} &&
         (padded || unpadded) && conv.group == 1 && has_channels(conv, precision);
}

at::Tensor pack(const at::Tensor& filter) {
  const int filters = static_cast<int>(filter.size(0)), channels = static_cast<int>(filter.size(1));
  at::Tensor packed = at::empty({static_cast<std::int64_t>(winograd::packed_size(channels, filters))});
  winograd::pack(filter.contiguous().const_data_ptr<float>(), channels, filters,
                 packed.mutable_data_ptr<float>());
  return packed;
}

}  // namespace

void use_winograd(Graph& graph, const PassOptions& options) {
  const std::vector<MatMulKind> kinds = choose_kinds(graph, options);
  std::map<ValueId, ValueId> packed;  // heads share their filters among levels
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    const auto conv = ConvNode::find(graph, node);
    if (!conv || !suits(*conv, kinds[i].precision)) continue;
    std::vector<ValueId> inputs = node.inputs;
    ValueId& filter = inputs[ConvNode::kFilter];
    const auto [known, is_new] = packed.try_emplace(filter);
    if (is_new) known->second = add_constant(graph, graph.values[filter].blob, pack(conv->filter));
    filter = known->second;
    set_inputs(graph, node, std::move(inputs));
    node.def.type = "caffe2rt.WinogradConv";
    set_argument(node.def, "caffe2rt.filters", conv->filter.size(0));
    set_argument(node.def, "caffe2rt.channels", conv->filter.size(1));
    set_argument(node.def, "pad", conv->window.pads.front());
  }
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
