// Before: RoIAlign on each level of a pyramid -> Concat -> BatchPermutation by `order`.
// After: caffe2rt.PyramidRoIAlign, which writes each region once, to its place.
#include <algorithm>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

constexpr const char* kShared[] = {"pooled_h", "pooled_w", "sampling_ratio", "aligned"};

bool pools_alike(const OperatorDef& a, const OperatorDef& b) {
  return std::ranges::all_of(kShared, [&](const char* name) {
    return (a.find(name) == nullptr) == (b.find(name) == nullptr) &&
           integer_argument(a, name, 0) == integer_argument(b, name, 0);
  });
}

// The RoIAligns that a Concat along the first axis puts together; none where it puts together other things
// too.
std::vector<const Node*> pooled_levels(const Graph& graph, const Node& concat,
                                       const std::vector<int>& readers) {
  if (concat.def.type != "Concat" || integer_argument(concat.def, "axis", 0) != 0 ||
      integer_argument(concat.def, "add_axis", 0) != 0 || !concat.def.find("axis") ||
      readers[concat.outputs.front()] != 1)
    return {};
  for (size_t i = 1; i < concat.outputs.size(); i++)
    if (readers[concat.outputs[i]] > 0) return {};
  std::vector<const Node*> levels;
  for (const ValueId id : concat.inputs) {
    const int producer = graph.values[id].producer;
    const Node* level = producer < 0 ? nullptr : &graph.nodes[producer];
    if (!level || level->def.type != "RoIAlign" || readers[id] != 1 || !in_nchw(level->def) ||
        level->inputs.size() != 2 || (!levels.empty() && !pools_alike(level->def, levels.front()->def)))
      return {};
    levels.push_back(level);
  }
  return levels;
}

void make_pyramid(const Graph& graph, const std::vector<const Node*>& levels, Node& node) {
  std::vector<ValueId> inputs;
  for (const size_t input : {0, 1})
    for (const Node* level : levels) inputs.push_back(level->inputs[input]);
  inputs.push_back(node.inputs[1]);
  set_inputs(graph, node, std::move(inputs));
  node.def.type = "caffe2rt.PyramidRoIAlign";
  node.file_type = levels.front()->file_type;
  node.position = levels.front()->position;
  node.def.args = levels.front()->def.args;
  std::vector<float> scales;
  scales.reserve(levels.size());
  for (const Node* level : levels) scales.push_back(number_argument(level->def, "spatial_scale", 1.0F));
  node.def.args.push_back({.name = "caffe2rt.spatial_scales", .floats = std::move(scales)});
}

}  // namespace

void join_roi_align(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  set_producers(graph);
  for (Node& node : graph.nodes) {
    if (node.def.type != "BatchPermutation") continue;
    const int concat = graph.values[node.inputs.front()].producer;
    if (concat < 0) continue;
    const auto levels = pooled_levels(graph, graph.nodes[concat], readers);
    if (!levels.empty()) make_pyramid(graph, levels, node);
  }
  drop_dead_ends(graph);
}

}  // namespace caffe2rt
