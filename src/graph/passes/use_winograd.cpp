// Before: Conv(X, filter (M,C,3,3), ...), stride 1, a filter that is a constant.
// After: caffe2rt.WinogradConv(X, packed filter, ...), where that is the fastest way.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "graph/passes/choose_kinds.h"
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/dot_conv.h"
#include "kernels/int16_product.h"
#include "kernels/winograd.h"

namespace caffe2rt {
namespace {

using winograd::Numbers;

// What Winograd's way is to multiply where it is the fastest. It takes a quarter of the products; 16 bit
// integers halve their time, as bfloat16 does without transforms, and 8 bit ones take a quarter. On tiles
// nothing is faster than products of all.
// `measured`: it was measured to be the fastest.
std::optional<Numbers> fastest(const ConvNode& conv, Precision precision, bool measured) {
  // With fewer channels the transforms cost more than the products save.
  constexpr std::int64_t kLeast = 16, kLeastBesideBfloat16 = 64, kLeastBesideInt8 = 256;
  const std::int64_t channels = std::min(conv.filter.size(0), conv.filter.size(1));
  const auto from = [&](std::int64_t least, Numbers numbers) {
    return measured || channels >= least ? std::optional(numbers) : std::nullopt;
  };
  if (precision == Precision::kFloat32) return from(kLeast, Numbers::kFloat32);
  const bool is_bfloat16 = precision == Precision::kBfloat16;
  const auto kind = is_bfloat16 ? dot_conv::Kind::kBfloat16 : dot_conv::Kind::kInt8;
  if (dot_conv::fastest(kind) == dot_conv::Way::kTiles && !measured) return std::nullopt;
  if (int16_product::is_fast())
    return from(is_bfloat16 ? kLeastBesideBfloat16 : kLeastBesideInt8, Numbers::kInt16);
  return is_bfloat16 ? from(2 * kLeastBesideBfloat16, Numbers::kFloat32) : std::nullopt;
}

bool suits(const ConvNode& conv) {
  const Window& window = conv.window;
  using Pair = std::vector<std::int64_t>;
  const bool padded = window.pads == std::vector<std::int64_t>(4, 1),
             unpadded = window.pads == std::vector<std::int64_t>(4);
  return window.kernel == Pair{3, 3} && window.stride == Pair{1, 1} && window.dilation == Pair{1, 1} &&
         (padded || unpadded) && conv.group == 1;
}

at::Tensor pack(const at::Tensor& filter, Numbers numbers) {
  const int filters = static_cast<int>(filter.size(0)), channels = static_cast<int>(filter.size(1));
  at::Tensor packed =
      at::empty({static_cast<std::int64_t>(winograd::packed_size(numbers, channels, filters))}, at::kByte);
  winograd::pack(numbers, filter.contiguous().const_data_ptr<float>(), channels, filters,
                 packed.mutable_data_ptr());
  return packed;
}

}  // namespace

void use_winograd(Graph& graph, const PassOptions& options) {
  const std::vector<MatMulKind> kinds = choose_kinds(graph, options);
  InputReplacer inputs(graph);
  std::map<std::pair<ValueId, Numbers>, ValueId> packed;  // heads share their filters among levels
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    const auto conv = ConvNode::find(graph, node);
    const std::string& blob = node.def.outputs.front();
    if (!conv || !suits(*conv) || !options.tuning.allows(blob, ConvWay::kWinograd)) continue;
    const auto numbers = fastest(*conv, kinds[i].precision, options.tuning.prefers(blob, ConvWay::kWinograd));
    if (!numbers) continue;
    const ValueId filter = node.inputs[ConvNode::kFilter];
    const auto [known, is_new] = packed.try_emplace({filter, *numbers});
    if (is_new) known->second = add_constant(graph, graph.values[filter].blob, pack(conv->filter, *numbers));
    inputs.replace(node, ConvNode::kFilter, known->second);
    node.def.type = "caffe2rt.WinogradConv";
    set_argument(node.def, "caffe2rt.filters", conv->filter.size(0));
    set_argument(node.def, "caffe2rt.channels", conv->filter.size(1));
    set_argument(node.def, "caffe2rt.numbers", static_cast<std::int64_t>(*numbers));
    set_argument(node.def, "pad", conv->window.pads.front());
  }
}

}  // namespace caffe2rt
