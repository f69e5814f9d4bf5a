#include "graph/graph.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace caffe2rt {
namespace {

class Builder {
 public:
  Builder(const NetDef& net, const Blobs& weights, const GraphOptions& options)
      : net_(net), weights_(weights), options_(options), fed_(options.feeds.begin(), options.feeds.end()) {
    fed_.insert({"data", "im_info"});
    const auto has_value = [&](const std::string& blob) {
      return weights.contains(blob) && !fed_.contains(blob);
    };
    if (!net.external_inputs.empty() &&
        std::all_of(net.external_inputs.begin(), net.external_inputs.end(), has_value))
      fed_.insert(net.external_inputs.front());
    graph_.name = net.name;
    graph_.source = net.source;
    for (size_t i = 0; i < net.ops.size(); i++)
      for (const auto& blob : net.ops[i].outputs) writers_.emplace(blob, i);
    for (const auto& blob : net.external_inputs) enter(blob);
  }

  Graph build() {
    for (size_t i = 0; i < net_.ops.size(); i++) add(net_.ops[i], static_cast<int>(i));
    for (const auto& blob : output_names()) {
      const auto found = current_.find(blob);
      require(found != current_.end(), ErrorCode::kGraph, "output blob '{}' is written by no operator", blob);
      graph_.outputs.push_back(found->second);
    }
    return std::move(graph_);
  }

 private:
  ValueId new_value(const std::string& blob, int producer) {
    graph_.values.push_back({blob, producer});
    return current_[blob] = static_cast<ValueId>(graph_.values.size()) - 1;
  }

  // Makes a value of a blob that comes from outside the net.
  void enter(const std::string& blob) {
    if (current_.contains(blob)) return;
    const ValueId id = new_value(blob, -1);
    const auto weight = weights_.find(blob);
    if (weight == weights_.end() || fed_.contains(blob))
      graph_.inputs.push_back(id);
    else
      graph_.constants.emplace(id, weight->second);
  }

  ValueId read(const std::string& blob) {
    const auto found = current_.find(blob);
    if (found != current_.end()) return found->second;
    if (weights_.contains(blob)) {  // external_input lists are often incomplete
      enter(blob);
      return current_.at(blob);
    }
    const auto writer = writers_.find(blob);
    require(writer == writers_.end(), ErrorCode::kGraph,
            "input blob '{}' is written only by operator {} '{}': a cycle, or operators out of order", blob,
            writer == writers_.end() ? 0 : writer->second,
            writer == writers_.end() ? "" : net_.ops[writer->second].type);
    fail(ErrorCode::kGraph,
         "input blob '{}' is missing: no operator writes it, the init net does not hold it, and it "
         "is no external input",
         blob);
  }

  void add(const OperatorDef& def, int position) {
    Node node{def, position, def.type, {}, {}};
    at_place([&] { return node.place(); },
             [&] {
               for (const auto& blob : def.inputs) node.inputs.push_back(read(blob));
               std::set<std::string> written;
               for (const auto& blob : def.outputs)
                 require(written.insert(blob).second, ErrorCode::kGraph, "output blob '{}' is named twice",
                         blob);
             });
    for (const auto& blob : def.outputs)
      node.outputs.push_back(new_value(blob, static_cast<int>(graph_.nodes.size())));
    graph_.nodes.push_back(std::move(node));
  }

  std::vector<std::string> output_names() const {
    std::vector<std::string> names = net_.external_outputs;
    if (names.empty()) names = net_.ops.back().outputs;
    const auto add = [&](const std::string& blob) {
      if (std::find(names.begin(), names.end(), blob) == names.end()) names.push_back(blob);
    };
    for (const auto& blob : options_.keep) add(blob);
    if (options_.keep_all)
      for (const auto& op : net_.ops)
        for (const auto& blob : op.outputs) add(blob);
    return names;
  }

  const NetDef& net_;
  const Blobs& weights_;
  const GraphOptions& options_;
  std::set<std::string> fed_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> current_;  // the value that a name stands for so far
  std::unordered_map<std::string, size_t> writers_;   // the first operator that writes a blob
};

}  // namespace

std::string Node::place() const {
  if (def.outputs.empty()) return fmt::format("operator {} '{}'", position, file_type);
  return fmt::format("operator {} '{}' (output '{}')", position, file_type, def.outputs.front());
}

ValueId Graph::last_value(const std::string& blob) const {
  for (auto id = static_cast<ValueId>(values.size()) - 1; id >= 0; id--)
    if (values[id].blob == blob) return id;
  return -1;
}

void set_producers(Graph& graph) {
  for (auto& value : graph.values) value.producer = -1;
  for (size_t i = 0; i < graph.nodes.size(); i++)
    for (const ValueId id : graph.nodes[i].outputs) graph.values[id].producer = static_cast<int>(i);
}

Graph build_graph(const NetDef& net, const Blobs& weights, const GraphOptions& options) {
  return at_place([&] { return net.source; }, [&] { return Builder(net, weights, options).build(); });
}

}  // namespace caffe2rt
