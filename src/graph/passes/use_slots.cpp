// Before: regions and detections of which each image has as many as were found, which a GPU has to be asked
// for. After: a fixed number of slots for each image (ops/cuda/slots.h), from GenerateProposals to the
// results; and DistributeFpnProposals, caffe2rt.PyramidRoIAlign -> caffe2rt.LeveledRoIAlign, as regions
// sorted by level have no fixed number. Nothing is changed where an operator reads regions that does not know
// of slots.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/logging.h"
#include "geometry/box.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "ops/box_limit_args.h"
#include "ops/cuda/limits.h"
#include "ops/panoptic_map.h"
#include "ops/proposal_args.h"

namespace caffe2rt {
namespace {

constexpr ValueId kNone = -1;

// Operators whose every row of the result comes from the same row of what they read.
bool goes_by_row(const OperatorDef& def) {
  static const std::set<std::string> types = {"Conv",
                                              "ConvTranspose",
                                              "FC",
                                              "Relu",
                                              "Sigmoid",
                                              "Softmax",
                                              "Flatten",
                                              "RoIAlign",
                                              "RoIAlignRotated",
                                              "MaxPool",
                                              "AveragePool",
                                              "Sum",
                                              "Add",
                                              "Mul",
                                              "GroupNorm",
                                              "Copy",
                                              "Alias",
                                              "ResizeNearest",
                                              "UpsampleBilinear",
                                              "caffe2rt.HardSwish",
                                              "Clip",
                                              "HardSigmoid",
                                              "HeatmapMaxKeypoint",
                                              "caffe2rt.HeatmapsToKeypoints",
                                              "caffe2rt.MaskOfClass"};
  if (def.type == "ReduceMean") {
    const Argument* axes = def.find("axes");
    return axes && !axes->ints.empty() &&
           std::ranges::all_of(axes->ints, [](std::int64_t axis) { return axis > 0; });
  }
  return types.contains(def.type) && integer_argument(def, "axis", 1) == 1;
}

// A group of values with the same slots, and what says how many are filled.
struct Slots {
  ValueId filled = kNone;
};

// Regions that DistributeFpnProposals sorted by level.
struct Distributed {
  ValueId regions = kNone;
  std::vector<ValueId> levels;
  ValueId restore = kNone;
  std::vector<Argument> args;
};

class Walk {
 public:
  explicit Walk(Graph& graph) : graph_(graph) {}

  // Whether every node could be gone past; the graph is changed on the way.
  bool run() {
    std::vector<Node> nodes;
    for (Node node : graph_.nodes) {
      const Result result = visit(node);
      if (result == kUnknown) {
        VLOG(1) << "no slots: " << node.place() << " does not know of them";
        return false;
      }
      if (result == kStays) nodes.push_back(std::move(node));
    }
    if (groups_.empty()) return false;
    graph_.nodes = std::move(nodes);
    for (const ValueId id : graph_.outputs)
      if (const int group = group_of(id); group >= 0) {
        if (groups_[group].filled == kNone) return false;
        graph_.slots[id] = groups_[group].filled;
      }
    set_producers(graph_);
    drop_dead_ends(graph_);
    return true;
  }

 private:
  enum Result { kStays, kGoes, kUnknown };

  int group_of(ValueId id) const {
    const auto found = group_.find(id);
    return found == group_.end() ? -1 : found->second;
  }
  int new_group(ValueId filled = kNone) {
    groups_.push_back({filled});
    return static_cast<int>(groups_.size()) - 1;
  }
  static void mark(Node& node) { set_argument(node.def, "caffe2rt.slots", 1); }

  Result visit(Node& node) {
    const std::string& type = node.def.type;
    if (type == "GenerateProposals" || type == "GenerateProposalsCPP" || type == "caffe2rt.GenerateProposals")
      return generate(node);
    if (type == "CollectRpnProposals" || type == "CollectAndDistributeFpnRpnProposals") return collect(node);
    if (type == "DistributeFpnProposals") return distribute(node);
    if (type == "caffe2rt.PyramidRoIAlign") return pool(node);
    if (type == "BBoxTransform") return transform(node);
    if (type == "BoxWithNMSLimit") return limit(node);
    if (type == "caffe2rt.NumberRegions") return number(node);
    if (type == "caffe2rt.PanopticMap") return merge(node);
    int group = -1;
    for (const ValueId id : node.inputs)
      if (const int g = group_of(id); g >= 0) {
        if ((group >= 0 && g != group) || !goes_by_row(node.def)) return kUnknown;
        group = g;
      } else if (sorted_.contains(id)) {
        return kUnknown;
      }
    if (group >= 0 && type == "RoIAlign" && !is_pooled_on_gpu(node, 1)) return kUnknown;
    if (group >= 0)
      for (const ValueId id : node.outputs) group_[id] = group;
    return kStays;
  }

  Result generate(Node& node) {
    const ProposalArgs args(OperatorArgs(node.def, c10::DeviceType::CPU));
    const at::Tensor* anchors = constant_input(graph_, node, ProposalArgs::kAnchors);
    if (!anchors || anchors->dim() != 2 ||
        (anchors->size(1) != Box::kSize && anchors->size(1) != RotatedBox::kSize) || args.pre_nms <= 0 ||
        args.pre_nms > cuda::kMostBoxes || args.post_nms <= 0 || args.post_nms > cuda::kMostBoxes)
      return kUnknown;
    mark(node);
    im_info_ = node.inputs[ProposalArgs::kImInfo];
    const int group = new_group();
    for (const ValueId id : node.outputs) group_[id] = group;
    return kStays;
  }

  Result collect(Node& node) {
    for (const ValueId id : node.inputs)
      if (group_of(id) < 0) return kUnknown;
    const std::int64_t most = integer_argument(node.def, "rpn_post_nms_topN", 2000);
    if (most <= 0 || most > cuda::kMostBoxes) return kUnknown;
    if (node.def.type != "CollectRpnProposals") {
      note_sorted(node, node.outputs.front(), 1);
      node.def.type = "CollectRpnProposals";
      set_outputs(node, {node.outputs.front()});
    }
    std::vector<ValueId> inputs = node.inputs;
    inputs.push_back(im_info_);
    set_inputs(graph_, node, std::move(inputs));
    mark(node);
    group_[node.outputs.front()] = new_group();
    return kStays;
  }

  Result distribute(Node& node) {
    if (group_of(node.inputs.front()) < 0) return kStays;
    note_sorted(node, node.inputs.front(), 0);
    return kGoes;
  }

  static bool is_pooled_on_gpu(const Node& node, size_t levels) {
    return integer_argument(node.def, "pooled_w", 1) <= cuda::kMostPooled && levels <= cuda::kMostLevels;
  }

  Result pool(Node& node) {
    const size_t levels = node.inputs.size() / 2;
    const auto found = sorted_.find(node.inputs.back());
    if (found == sorted_.end()) return kUnknown;
    const Distributed& from = distributed_[found->second];
    if (!is_pooled_on_gpu(node, levels) || from.restore != node.inputs.back() ||
        from.levels.size() != levels ||
        !std::equal(from.levels.begin(), from.levels.end(),
                    node.inputs.begin() + static_cast<std::ptrdiff_t>(levels)))
      return kUnknown;
    std::vector<ValueId> inputs(node.inputs.begin(),
                                node.inputs.begin() + static_cast<std::ptrdiff_t>(levels));
    inputs.push_back(from.regions);
    set_inputs(graph_, node, std::move(inputs));
    node.def.type = "caffe2rt.LeveledRoIAlign";
    node.def.args.insert(node.def.args.end(), from.args.begin(), from.args.end());
    group_[node.outputs.front()] = group_of(from.regions);
    return kStays;
  }

  Result transform(Node& node) {
    const int group = group_of(node.inputs[0]);
    if (group < 0) return kStays;
    if (group_of(node.inputs[1]) != group) return kUnknown;
    add_outputs(node, 2);
    group_[node.outputs[0]] = group;
    groups_[group].filled = node.outputs[1];
    return kStays;
  }

  Result limit(Node& node) {
    using Args = BoxLimitArgs;
    const int group = group_of(node.inputs[Args::kScores]);
    if (group < 0) return kStays;
    const Args args(OperatorArgs(node.def, c10::DeviceType::CPU));
    if (group_of(node.inputs[Args::kBoxes]) != group || node.inputs.size() <= Args::kBatchSplits ||
        node.inputs[Args::kBatchSplits] != groups_[group].filled || args.most <= 0)
      return kUnknown;
    mark(node);
    add_outputs(node, Args::kOutBatchSplits + 1);
    const int detections = new_group(node.outputs[Args::kOutBatchSplits]);
    for (const size_t i : {Args::kOutScores, Args::kOutBoxes, Args::kOutClasses, Args::kOutKeeps})
      if (i < node.outputs.size()) group_[node.outputs[i]] = detections;
    return kStays;
  }

  Result number(Node& node) {
    const int group = group_of(node.inputs[0]);
    if (group < 0) return kStays;
    if (node.inputs[1] != groups_[group].filled) return kUnknown;
    mark(node);
    group_[node.outputs[0]] = group;
    return kStays;
  }

  Result merge(Node& node) {
    using Args = PanopticArgs;
    const int group = group_of(node.inputs[Args::kBoxes]);
    if (group < 0) return kStays;
    for (const size_t i : {Args::kScores, Args::kClasses, Args::kMasks})
      if (group_of(node.inputs[i]) != group) return kUnknown;
    if (node.inputs.size() <= Args::kSplits || node.inputs[Args::kSplits] != groups_[group].filled)
      return kUnknown;
    mark(node);
    if (node.outputs.size() > Args::kThings) group_[node.outputs[Args::kThings]] = group;
    return kStays;
  }

  // Outputs from `first` on are regions by level, the last one their order.
  void note_sorted(const Node& node, ValueId regions, std::ptrdiff_t first) {
    Distributed from{
        regions, {node.outputs.begin() + first, node.outputs.end() - 1}, node.outputs.back(), {}};
    for (const Argument& arg : node.def.args)
      if (arg.name.starts_with("roi_") || arg.name == "legacy_plus_one") from.args.push_back(arg);
    for (auto id = node.outputs.begin() + first; id != node.outputs.end(); ++id)
      sorted_[*id] = distributed_.size();
    distributed_.push_back(std::move(from));
  }

  // Until there are so many: those that nothing read before.
  void add_outputs(Node& node, size_t wanted) {
    while (node.outputs.size() < wanted) {
      const std::string blob = fmt::format("{}.{}", node.def.outputs.front(), node.outputs.size());
      node.outputs.push_back(static_cast<ValueId>(graph_.values.size()));
      node.def.outputs.push_back(blob);
      graph_.values.push_back({blob});
    }
  }

  void set_outputs(Node& node, const std::vector<ValueId>& outputs) {
    node.outputs = outputs;
    node.def.outputs.clear();
    for (const ValueId id : outputs) node.def.outputs.push_back(graph_.values[id].blob);
  }

  Graph& graph_;
  std::vector<Slots> groups_;
  std::map<ValueId, int> group_;
  std::vector<Distributed> distributed_;
  std::map<ValueId, size_t> sorted_;  // outputs of those
  ValueId im_info_ = kNone;
};

}  // namespace

void use_slots(Graph& graph) {
  Graph changed = graph;
  if (Walk(changed).run()) graph = std::move(changed);
}

}  // namespace caffe2rt
