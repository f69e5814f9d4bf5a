// Before: Conv(X, f, b) -> Y and Conv(X, g, c) -> Z with windows of one pixel and few filters, as a proposal
// network's logits and deltas. After: Conv(X, f and g, b and c) -> YZ; Split(YZ) -> Y, Z, which reads X once.
// More filters than a panel of packed weights has columns gain nothing.
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <map>
#include <tuple>
#include <utility>

#include "graph/passes/conv_node.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

constexpr std::int64_t kPanel = 32;

struct Sibling {
  size_t node;
  std::int64_t filters;
};

// What siblings have in common: what they read, where their window goes, and whether a Relu follows.
using Family = std::tuple<ValueId, std::vector<std::int64_t>, std::vector<std::int64_t>, bool>;

std::map<Family, std::vector<Sibling>> find_families(const Graph& graph) {
  std::map<Family, std::vector<Sibling>> families;
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    const Node& node = graph.nodes[i];
    const auto conv = ConvNode::find(graph, node);
    const std::vector<std::int64_t> one = {1, 1};
    if (!conv || conv->group != 1 || conv->window.kernel != one || node.inputs.size() > ConvNode::kResidual ||
        (node.inputs.size() > ConvNode::kBias && !constant_input(graph, node, ConvNode::kBias)))
      continue;
    families[{node.inputs[ConvNode::kX], conv->window.stride, conv->window.pads,
              integer_argument(node.def, "caffe2rt.relu", 0) != 0}]
        .push_back({i, conv->filter.size(0)});
  }
  std::erase_if(families, [](const auto& family) {
    std::int64_t filters = 0;
    for (const Sibling& sibling : family.second) filters += sibling.filters;
    return family.second.size() < 2 || filters > kPanel;
  });
  return families;
}

class Joiner {
 public:
  explicit Joiner(Graph& graph) : graph_(graph) {}

  // The two nodes in the place of these siblings.
  std::pair<Node, Node> join(const std::vector<Sibling>& siblings) {
    Node conv = graph_.nodes[siblings.front().node], split = conv;
    Argument sizes;
    sizes.name = "split";
    split.outputs.clear();
    split.def.outputs.clear();
    for (const auto& [node, filters] : siblings) {
      const Node& sibling = graph_.nodes[node];
      split.outputs.push_back(sibling.outputs.front());
      split.def.outputs.push_back(sibling.def.outputs.front());
      sizes.ints.push_back(filters);
    }
    const auto whole = static_cast<ValueId>(graph_.values.size());
    graph_.values.push_back({split.def.outputs.front() + "/siblings", -1});
    const auto [filter, bias] = weights(siblings);
    set_inputs(graph_, conv, {conv.inputs[ConvNode::kX], filter, bias});
    set_output(graph_, conv, whole);
    split.def.type = split.file_type = "Split";
    split.def.args = {sizes};
    set_inputs(graph_, split, {whole});
    return {std::move(conv), std::move(split)};
  }

 private:
  // Heads share theirs among levels.
  std::pair<ValueId, ValueId> weights(const std::vector<Sibling>& siblings) {
    std::vector<ValueId> key;
    std::vector<at::Tensor> filters, biases;
    for (const Sibling& sibling : siblings) {
      const Node& node = graph_.nodes[sibling.node];
      key.insert(key.end(), node.inputs.begin() + ConvNode::kFilter, node.inputs.end());
      filters.push_back(*constant_input(graph_, node, ConvNode::kFilter));
      const at::Tensor* bias = constant_input(graph_, node, ConvNode::kBias);
      biases.push_back(bias ? *bias : at::zeros({sibling.filters}));
    }
    const auto [known, is_new] = joined_.try_emplace(key);
    if (is_new) {
      const std::string name = graph_.values[key.front()].blob;
      known->second = {add_constant(graph_, name + "/siblings", at::cat(filters)),
                       add_constant(graph_, name + "/siblings/bias", at::cat(biases))};
    }
    return known->second;
  }

  Graph& graph_;
  std::map<std::vector<ValueId>, std::pair<ValueId, ValueId>> joined_;
};

}  // namespace

void join_siblings(Graph& graph) {
  Joiner joiner(graph);
  std::map<size_t, std::pair<Node, Node>> first;  // by node
  std::vector<bool> joined(graph.nodes.size());
  for (const auto& [family, siblings] : find_families(graph)) {
    first.emplace(siblings.front().node, joiner.join(siblings));
    for (const Sibling& sibling : siblings) joined[sibling.node] = true;
  }
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); i++) {
    if (const auto found = first.find(i); found != first.end()) {
      nodes.push_back(std::move(found->second.first));
      nodes.push_back(std::move(found->second.second));
    } else if (!joined[i]) {
      nodes.push_back(std::move(graph.nodes[i]));
    }
  }
  graph.nodes = std::move(nodes);
  set_producers(graph);
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
