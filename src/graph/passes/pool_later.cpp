// Before: RoIAlign(X, regions) -> P; Conv(P, f, b) with windows of one pixel -> Y, be there several that
// alone read P. After: Conv(X, f) -> M; RoIAlign(M, regions, b) with the argument caffe2rt.stride -> Y. Both
// are linear and the one is over pixels, the other over channels, so that either may come first, up to
// rounding: the convolution is of a map instead of a thousand regions that overlap. The bias stays behind:
// samples beyond the map are zero.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

using Pair = std::vector<std::int64_t>;

// The most regions of an image that a value can hold; 0 where nothing says so.
std::int64_t most_regions(const Graph& graph, ValueId id) {
  const Node* node = producer(graph, id);
  if (node && node->def.type == "caffe2rt.NumberRegions") node = producer(graph, node->inputs.front());
  if (!node) return 0;
  if (node->def.type.find("GenerateProposals") != std::string::npos)
    return integer_argument(node->def, "post_nms_topN", 0);
  if (node->def.type == "CollectRpnProposals") return integer_argument(node->def, "rpn_post_nms_topN", 0);
  return node->def.type == "BoxWithNMSLimit" ? integer_argument(node->def, "detections_per_im", 0) : 0;
}

class Reorderer {
 public:
  explicit Reorderer(Graph& graph) : graph_(graph), readers_(count_readers(graph)) {}

  void run() {
    for (size_t i = 0; i < graph_.nodes.size(); i++)
      if (const auto convs = find_convs(i); !convs.empty() && pays_off(i, convs)) reorder(i, convs);
    std::vector<Node> nodes;
    for (size_t i = 0; i < graph_.nodes.size(); i++) {
      for (Node& node : placed_[i]) nodes.push_back(std::move(node));
      if (!gone_.contains(i)) nodes.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(nodes);
    set_producers(graph_);
  }

 private:
  // A convolution, and the earlier one that its residual comes from, which can take the sum instead.
  struct Reader {
    size_t conv;
    std::optional<size_t> sum;
    Pair stride;
  };

  // Those that alone read what a RoIAlign pooled; none where they are of another kind, or it is.
  std::vector<Reader> find_convs(size_t pooling) const {
    const Node& roi_align = graph_.nodes[pooling];
    if ((roi_align.def.type != "RoIAlign" && roi_align.def.type != "RoIAlignRotated") ||
        !in_nchw(roi_align.def) || roi_align.inputs.size() != 2)
      return {};
    const ValueId pooled = roi_align.outputs.front();
    std::vector<Reader> convs;
    for (size_t i = pooling + 1; i < graph_.nodes.size(); i++) {
      if (std::ranges::find(graph_.nodes[i].inputs, pooled) == graph_.nodes[i].inputs.end()) continue;
      const auto conv = find_conv(i, pooled);
      if (!conv || (conv->sum && !comes_after(*conv->sum, pooling, convs))) return {};
      convs.push_back(*conv);
    }
    return static_cast<size_t>(readers_[pooled]) == convs.size() ? convs : std::vector<Reader>();
  }

  std::optional<Reader> find_conv(size_t i, ValueId pooled) const {
    const Node& node = graph_.nodes[i];
    const auto conv = ConvNode::find(graph_, node);
    if (!conv || node.inputs[ConvNode::kX] != pooled || conv->group != 1 ||
        conv->window.kernel != Pair{1, 1} || conv->window.pads != Pair(4))
      return {};
    if (node.inputs.size() > ConvNode::kBias && !constant_input(graph_, node, ConvNode::kBias)) return {};
    Reader reader{i, {}, conv->window.stride};
    if (node.inputs.size() > ConvNode::kResidual) {
      reader.sum = find_sum(node.inputs[ConvNode::kResidual]);
      if (!reader.sum) return {};
    }
    return reader;
  }

  // Whether a node can read what is pooled, and is none that is going to be replaced.
  static bool comes_after(size_t node, size_t pooling, const std::vector<Reader>& convs) {
    return node > pooling && std::ranges::none_of(convs, [&](const Reader& r) { return r.conv == node; });
  }

  // The convolution that writes a residual and could add another itself.
  std::optional<size_t> find_sum(ValueId residual) const {
    const int from = graph_.values[residual].producer;
    if (from < 0 || readers_[residual] != 1 || gone_.contains(from)) return {};
    const Node& node = graph_.nodes[from];
    if (!ConvNode::find(graph_, node) || node.inputs.size() != ConvNode::kResidual ||
        node.def.find("caffe2rt.relu"))
      return {};
    return from;
  }

  // What regions are pooled to costs less than the map.
  bool pays_off(size_t pooling, const std::vector<Reader>& convs) const {
    constexpr std::int64_t kPixels = 3000;  // more than a map has that small regions come from
    const Node& roi_align = graph_.nodes[pooling];
    const std::int64_t regions = most_regions(graph_, roi_align.inputs[1]),
                       height = integer_argument(roi_align.def, "pooled_h", 1),
                       width = integer_argument(roi_align.def, "pooled_w", 1);
    return std::ranges::all_of(convs, [&](const Reader& reader) {
      const std::int64_t bins = ((height - 1) / reader.stride[0] + 1) * ((width - 1) / reader.stride[1] + 1);
      return regions * bins >= kPixels || maps_.contains(key(roi_align, graph_.nodes[reader.conv]));
    });
  }

  using Key = std::pair<ValueId, ValueId>;  // the map, the filter
  static Key key(const Node& roi_align, const Node& conv) {
    return {roi_align.inputs.front(), conv.inputs[ConvNode::kFilter]};
  }

  void reorder(size_t pooling, const std::vector<Reader>& convs) {
    const Node roi_align = graph_.nodes[pooling];
    gone_.insert(pooling);
    for (const Reader& reader : convs) {
      const Node conv = graph_.nodes[reader.conv];
      Node pooled = roi_align;
      std::vector<ValueId> inputs = {map_of(pooling, conv), roi_align.inputs[1]};
      if (conv.inputs.size() > ConvNode::kBias) inputs.push_back(conv.inputs[ConvNode::kBias]);
      set_inputs(graph_, pooled, std::move(inputs));
      set_argument(pooled.def, "caffe2rt.stride_h", reader.stride[0]);
      set_argument(pooled.def, "caffe2rt.stride_w", reader.stride[1]);
      gone_.insert(reader.conv);
      const std::int64_t relu = integer_argument(conv.def, "caffe2rt.relu", 0);
      if (reader.sum) {
        set_output(graph_, pooled, new_value(conv.def.outputs.front() + "/pooled"));
        Node& sum = graph_.nodes[*reader.sum];
        std::vector<ValueId> of_sum = sum.inputs;
        of_sum.push_back(pooled.outputs.front());
        set_inputs(graph_, sum, std::move(of_sum));
        set_output(graph_, sum, conv.outputs.front());
        set_argument(sum.def, "caffe2rt.relu", relu);
      } else {
        set_output(graph_, pooled, conv.outputs.front());
        set_argument(pooled.def, "caffe2rt.relu", relu);
      }
      placed_[pooling].push_back(std::move(pooled));
    }
  }

  // The convolution of the whole map. Heads that share their filter share it.
  ValueId map_of(size_t pooling, Node conv) {
    const auto [known, is_new] = maps_.try_emplace(key(graph_.nodes[pooling], conv), -1);
    if (!is_new) return known->second;
    set_inputs(graph_, conv, {known->first.first, known->first.second});
    set_output(graph_, conv, new_value(conv.def.outputs.front() + "/map"));
    std::erase_if(conv.def.args, [](const Argument& argument) {
      return argument.name.starts_with("stride") || argument.name == "caffe2rt.relu";
    });
    known->second = conv.outputs.front();
    placed_[pooling].push_back(std::move(conv));
    return known->second;
  }

  ValueId new_value(const std::string& blob) {
    graph_.values.push_back({blob, -1});
    return static_cast<ValueId>(graph_.values.size()) - 1;
  }

  Graph& graph_;
  const std::vector<int> readers_;
  std::map<Key, ValueId> maps_;
  std::map<size_t, std::vector<Node>> placed_;  // in front of a node
  std::set<size_t> gone_;
};

}  // namespace

void pool_later(Graph& graph) {
  set_producers(graph);
  Reorderer(graph).run();
}

}  // namespace caffe2rt
