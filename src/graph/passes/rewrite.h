// What passes have in common: questions about a graph and small changes to it.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace caffe2rt {

// How often each value is read, by operators or by the caller.
std::vector<int> count_readers(const Graph& graph);

// The node that writes a value; null where it comes from outside the net. As set_producers() left it.
const Node* producer(const Graph& graph, ValueId id);

// The only node that reads a value, as its first input; the end of the graph's nodes where there is another,
// the caller too, or none. `readers`: count_readers().
std::vector<Node>::iterator only_reader(Graph& graph, ValueId id, const std::vector<int>& readers);

// The constant that a node's input is; null where it has no such input or it is none.
const at::Tensor* constant_input(const Graph& graph, const Node& node, size_t input);

// The constant that an elementwise node takes as one number for each of `channels` channels of (N,C,H,W);
// null for others.
const at::Tensor* channel_constant(const Graph& graph, const Node& node, size_t input, std::int64_t channels);

// A new constant of the graph.
ValueId add_constant(Graph& graph, const std::string& blob, at::Tensor value);

// Sets the inputs of a node, their names too.
void set_inputs(const Graph& graph, Node& node, std::vector<ValueId> inputs);
void set_output(const Graph& graph, Node& node, ValueId output);

// A number's value, as operators read it (OperatorArgs); `otherwise` where there is none.
std::int64_t integer_argument(const OperatorDef& def, const char* name, std::int64_t otherwise);
float number_argument(const OperatorDef& def, const char* name, float otherwise);

// Whether an operator's tensors are in order NCHW, which is what its argument says or leaves out.
bool in_nchw(const OperatorDef& def);

// Sets an integer argument, in place of one of that name.
void set_argument(OperatorDef& def, const std::string& name, std::int64_t value);

// Removes constants that nothing reads any more.
void drop_unread_constants(Graph& graph);

// Gives nodes other inputs, and frees each constant with its last reader: where weights are packed one by
// one, memory need not hold all of them twice. REQUIRES: while one lives, the graph's nodes get other inputs
// by it alone.
class InputReplacer {
 public:
  explicit InputReplacer(Graph& graph) : graph_(graph), readers_(count_readers(graph)) {}
  void replace(Node& node, size_t input, ValueId value);

 private:
  Graph& graph_;
  std::vector<int> readers_;  // by ValueId; values that are newer than this are not counted
};

}  // namespace caffe2rt
