// Before: Conv(X, filter (M,C/group,3,3), ...), stride 1, a filter that is a constant.
// After: caffe2rt.WinogradConv(X, packed filter, ...), where that is the fastest way. Groups of few channels
// become fewer groups of more, whose filters are zero where they see another's.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

#include "graph/passes/choose_kinds.h"
#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/dot_conv.h"
#include "kernels/winograd.h"

namespace caffe2rt {
namespace {

using winograd::Numbers;

// The integers of a layer in this precision.
Numbers integers(Precision precision) {
  return precision == Precision::kInt8 ? Numbers::kInt8 : Numbers::kInt16;
}

// What Winograd's way is to multiply where it is the fastest. It takes a quarter of the products; 16 bit
// integers halve their time. Without transforms bfloat16 does so too, and 8 bit integers take a quarter,
// where the processor has instructions for them. On tiles nothing is faster than products of all. `measured`:
// it was measured to be the fastest.
std::optional<Numbers> fastest(const ConvNode& conv, Precision precision, bool measured) {
  // With fewer channels the transforms cost more than the products save.
  constexpr std::int64_t kLeast = 16, kLeastBesideBfloat16 = 64, kLeastBesideInt8 = 256,
                         kLeastBesideWidened = 64;
  // Groups have few products; what other ways there are is slow at them, in any precision.
  if (conv.group > 1) return Numbers::kFloat32;
  const std::int64_t channels = std::min(conv.filter.size(0), conv.filter.size(1));
  const auto from = [&](std::int64_t least, Numbers numbers) {
    return measured || channels >= least ? std::optional(numbers) : std::nullopt;
  };
  if (precision == Precision::kFloat32) return from(kLeast, Numbers::kFloat32);
  const bool is_bfloat16 = precision == Precision::kBfloat16;
  switch (dot_conv::fastest(is_bfloat16 ? dot_conv::Kind::kBfloat16 : dot_conv::Kind::kInt8)) {
    case dot_conv::Way::kTiles:
      return measured ? std::optional(integers(precision)) : std::nullopt;
    case dot_conv::Way::kVectors:
      return from(is_bfloat16 ? kLeastBesideBfloat16 : kLeastBesideInt8, integers(precision));
    case dot_conv::Way::kWidened:
    case dot_conv::Way::kPlain:
      break;
  }
  return from(is_bfloat16 ? kLeast : kLeastBesideWidened, integers(precision));
}

bool suits(const ConvNode& conv) {
  const Window& window = conv.window;
  using Pair = std::vector<std::int64_t>;
  const bool padded = window.pads == std::vector<std::int64_t>(4, 1),
             unpadded = window.pads == std::vector<std::int64_t>(4);
  return window.kernel == Pair{3, 3} && window.stride == Pair{1, 1} && window.dilation == Pair{1, 1} &&
         (padded || unpadded);
}

// How many groups are to be one, so that both sides of it are whole steps; none where that takes too many,
// as most of their numbers would be zeros.
std::optional<std::int64_t> joined_groups(const ConvNode& conv) {
  constexpr std::int64_t kMost = 4;
  if (conv.group == 1) return 1;
  const std::int64_t channels = conv.filter.size(1), filters = conv.filter.size(0) / conv.group;
  for (std::int64_t n = 1; n <= kMost; n *= 2)
    if (conv.group % n == 0 && n * channels % winograd::kGroupStep == 0 &&
        n * filters % winograd::kGroupStep == 0)
      return n;
  return std::nullopt;
}

// filter (M,C/group,3,3) -> (M,n*C/group,3,3), of n times fewer groups.
at::Tensor join_groups(const ConvNode& conv, std::int64_t n) {
  const at::Tensor& filter = conv.filter;
  if (n == 1) return filter;
  const std::int64_t channels = filter.size(1), filters = filter.size(0) / conv.group;
  at::Tensor joined = at::zeros({filter.size(0), n * channels, 3, 3}, filter.options());
  for (std::int64_t g = 0; g < conv.group; g++)
    joined.narrow(0, g * filters, filters)
        .narrow(1, g % n * channels, channels)
        .copy_(filter.narrow(0, g * filters, filters));
  return joined;
}

// By value: whether its images are regions of a feature map.
std::vector<bool> find_regions(const Graph& graph) {
  constexpr std::string_view kPooling[] = {"RoIAlign", "RoIAlignRotated", "caffe2rt.PyramidRoIAlign"};
  std::vector<bool> regions(graph.values.size());
  for (const Node& node : graph.nodes)
    if (std::ranges::find(kPooling, node.def.type) != std::end(kPooling) ||
        (!node.inputs.empty() && regions[node.inputs.front()]))
      for (const ValueId id : node.outputs) regions[id] = true;
  return regions;
}

// Larger tiles take fewer multiplications. 16 bits are too few for the numbers that those make.
int choose_tile(Numbers numbers, const Tuning& tuning, const std::string& blob) {
  return numbers == Numbers::kFloat32 && tuning.allows(blob, ConvWay::kWinograd6) ? 6 : 4;
}

at::Tensor pack(const at::Tensor& filter, const winograd::Weights& weights) {
  at::Tensor packed = at::empty({static_cast<std::int64_t>(winograd::packed_size(weights))}, at::kByte);
  winograd::pack(weights, filter.contiguous().const_data_ptr<float>(), packed.mutable_data_ptr());
  return packed;
}

}  // namespace

void use_winograd(Graph& graph, const PassOptions& options) {
  const std::vector<MatMulKind> kinds = choose_kinds(graph, options);
  const std::vector<bool> regions = find_regions(graph);
  InputReplacer inputs(graph);
  // Heads share their filters among levels: by filter, numbers, tile and group.
  std::map<std::tuple<ValueId, Numbers, int, std::int64_t>, ValueId> packed;
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    Node& node = graph.nodes[i];
    const auto conv = ConvNode::find(graph, node);
    const std::string& blob = node.def.outputs.front();
    const bool measured =
        options.tuning.prefers(blob, ConvWay::kWinograd6) || options.tuning.prefers(blob, ConvWay::kWinograd);
    if (!conv || !suits(*conv) || !options.tuning.allows(blob, ConvWay::kWinograd)) continue;
    const auto joined = joined_groups(*conv);
    const auto numbers = fastest(*conv, kinds[i].precision, measured);
    if (!numbers || !joined) continue;
    const bool of_regions = regions[node.inputs[ConvNode::kX]];
    const winograd::Weights weights{.numbers = *numbers,
                                    .tile = choose_tile(*numbers, options.tuning, blob),
                                    .channels = static_cast<int>(conv->filter.size(1) * conv->group),
                                    .filters = static_cast<int>(conv->filter.size(0)),
                                    .groups = static_cast<int>(conv->group / *joined)};
    const ValueId filter = node.inputs[ConvNode::kFilter];
    const auto [known, is_new] = packed.try_emplace({filter, weights.numbers, weights.tile, conv->group});
    if (is_new)
      known->second =
          add_constant(graph, graph.values[filter].blob, pack(join_groups(*conv, *joined), weights));
    inputs.replace(node, ConvNode::kFilter, known->second);
    node.def.type = "caffe2rt.WinogradConv";
    MatMulKernel::set_kind(node.def, kinds[i]);  // what its input may be rounded to
    set_argument(node.def, "caffe2rt.filters", weights.filters);
    set_argument(node.def, "caffe2rt.channels", weights.channels);
    set_argument(node.def, "caffe2rt.groups", weights.groups);
    set_argument(node.def, "caffe2rt.numbers", static_cast<std::int64_t>(weights.numbers));
    set_argument(node.def, "caffe2rt.tile", weights.tile);
    set_argument(node.def, "caffe2rt.joined", of_regions ? 1 : 0);
    set_argument(node.def, "pad", conv->window.pads.front());
    set_argument(node.def, "caffe2rt.file_groups", conv->group);
    if (conv->group > 1) set_argument(node.def, "group", 1);  // see caffe2rt.groups
  }
}

}  // namespace caffe2rt
