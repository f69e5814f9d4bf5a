// Before: BoxWithNMSLimit -> boxes (R,4) -> RoIAlign or DistributeFpnProposals, where every box is of image
// 0. After: the boxes, with the number of their image in front, come from a caffe2rt.NumberRegions between
// them.
#include <map>
#include <string>

#include "graph/passes/passes.h"

namespace caffe2rt {
namespace {

constexpr size_t kBoxes = 1, kBatchSplits = 3;  // outputs of BoxWithNMSLimit

// Which input of an operator takes regions; -1: none.
int regions_input(const std::string& type) {
  if (type == "RoIAlign" || type == "RoIAlignRotated") return 1;
  return type == "DistributeFpnProposals" ? 0 : -1;
}

bool is_copy(const std::string& type) { return type.starts_with("Copy") || type.starts_with("Alias"); }

// The BoxWithNMSLimit whose boxes a value is, perhaps by way of copies; null where it is none.
const Node* detector_of(const Graph& graph, ValueId id) {
  int producer = graph.values[id].producer;
  while (producer >= 0 && is_copy(graph.nodes[producer].def.type)) {
    id = graph.nodes[producer].inputs.front();
    producer = graph.values[id].producer;
  }
  if (producer < 0) return nullptr;
  const Node& node = graph.nodes[producer];
  const bool boxes = node.def.type == "BoxWithNMSLimit" && node.outputs.size() > kBatchSplits;
  return boxes && node.outputs[kBoxes] == id ? &node : nullptr;
}

Node number_regions_node(Graph& graph, ValueId boxes, ValueId batch_splits, int position) {
  const auto id = static_cast<ValueId>(graph.values.size());
  graph.values.push_back({graph.values[boxes].blob + "/numbered", -1});
  Node node;
  node.def.type = node.file_type = "caffe2rt.NumberRegions";
  node.def.inputs = {graph.values[boxes].blob, graph.values[batch_splits].blob};
  node.def.outputs = {graph.values[id].blob};
  node.position = position;
  node.inputs = {boxes, batch_splits};
  node.outputs = {id};
  return node;
}

}  // namespace

void number_regions(Graph& graph) {
  std::vector<Node> nodes;
  std::map<ValueId, ValueId> numbered;  // boxes -> the same with image numbers
  for (Node node : graph.nodes) {
    const int input = regions_input(node.def.type);
    if (input >= 0 && static_cast<size_t>(input) < node.inputs.size()) {
      const ValueId boxes = node.inputs[input];
      if (const Node* detector = detector_of(graph, boxes)) {
        if (!numbered.contains(boxes)) {
          nodes.push_back(number_regions_node(graph, boxes, detector->outputs[kBatchSplits], node.position));
          numbered[boxes] = nodes.back().outputs.front();
        }
        node.inputs[input] = numbered[boxes];
        node.def.inputs[input] = graph.values[numbered[boxes]].blob;
      }
    }
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  set_producers(graph);
}

}  // namespace caffe2rt
