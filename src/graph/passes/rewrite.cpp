#include "graph/passes/rewrite.h"

#include <algorithm>

#include "runtime/operator_args.h"

namespace caffe2rt {

std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.values.size());
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.inputs) readers[id]++;
  for (const ValueId id : graph.outputs) readers[id]++;
  return readers;
}

const Node* producer(const Graph& graph, ValueId id) {
  return graph.values[id].producer < 0 ? nullptr : &graph.nodes[graph.values[id].producer];
}

std::vector<Node>::iterator only_reader(Graph& graph, ValueId id, const std::vector<int>& readers) {
  if (readers[id] != 1) return graph.nodes.end();
  return std::ranges::find_if(
      graph.nodes, [&](const Node& node) { return !node.inputs.empty() && node.inputs.front() == id; });
}

const at::Tensor* constant_input(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size()) return nullptr;
  const auto found = graph.constants.find(node.inputs[input]);
  return found == graph.constants.end() ? nullptr : &found->second;
}

const at::Tensor* channel_constant(const Graph& graph, const Node& node, size_t input,
                                   std::int64_t channels) {
  const at::Tensor* value = constant_input(graph, node, input);
  // The older rule of the argument broadcast comes to the same where it has no axis of its own.
  return value && !node.def.find("axis") && !node.def.find("axis_str") &&
                 value->scalar_type() == at::kFloat && value->numel() == channels && value->dim() >= 3 &&
                 value->dim() <= 4 && value->size(-3) == channels
             ? value
             : nullptr;
}

ValueId add_constant(Graph& graph, const std::string& blob, at::Tensor value) {
  const auto id = static_cast<ValueId>(graph.values.size());
  graph.values.push_back({blob, -1});
  graph.constants.emplace(id, std::move(value));
  return id;
}

void set_inputs(const Graph& graph, Node& node, std::vector<ValueId> inputs) {
  node.inputs = std::move(inputs);
  node.def.inputs.clear();
  for (const ValueId id : node.inputs) node.def.inputs.push_back(graph.values[id].blob);
}

void set_output(const Graph& graph, Node& node, ValueId output) {
  node.outputs = {output};
  node.def.outputs = {graph.values[output].blob};
}

std::int64_t integer_argument(const OperatorDef& def, const char* name, std::int64_t otherwise) {
  return OperatorArgs(def, c10::kCPU).get(name, otherwise);
}

float number_argument(const OperatorDef& def, const char* name, float otherwise) {
  return OperatorArgs(def, c10::kCPU).get(name, otherwise);
}

bool in_nchw(const OperatorDef& def) {
  const Argument* order = def.find("order");
  return !order || !order->s || *order->s == "NCHW";
}

void set_argument(OperatorDef& def, const std::string& name, std::int64_t value) {
  std::erase_if(def.args, [&](const Argument& arg) { return arg.name == name; });
  Argument arg;
  arg.name = name;
  arg.i = value;
  def.args.push_back(std::move(arg));
}

void InputReplacer::replace(Node& node, size_t input, ValueId value) {
  const ValueId old = node.inputs[input];
  node.inputs[input] = value;
  node.def.inputs[input] = graph_.values[value].blob;
  if (static_cast<size_t>(value) < readers_.size()) readers_[value]++;
  if (static_cast<size_t>(old) < readers_.size() && --readers_[old] == 0) graph_.constants.erase(old);
}

void drop_unread_constants(Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  std::erase_if(graph.constants, [&](const auto& constant) { return readers[constant.first] == 0; });
}

}  // namespace caffe2rt
