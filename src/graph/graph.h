// Graph: a NetDef in single static assignment form. Every write of a blob is a value of its own, so in-place
// operators and blobs that are written twice need no care after this; blob names stay for messages and for
// the caller.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/net_def.h"

namespace caffe2rt {

using Blobs = std::unordered_map<std::string, at::Tensor>;
using ValueId = int;

struct Value {
  std::string blob;   // its name in the NetDef
  int producer = -1;  // index of the node that writes it; -1: fed or constant
};

struct Node {
  OperatorDef def;
  int position = 0;       // in the NetDef, for messages
  std::string file_type;  // of the operator there, whatever a pass has made of it
  std::vector<ValueId> inputs, outputs;

  std::string place() const;  // "operator 12 'Conv' (output 'res2')"
};

struct Graph {
  std::string name;
  std::string source;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<Value> values;
  std::vector<ValueId> inputs;              // fed at every run
  std::map<ValueId, at::Tensor> constants;  // weights
  std::vector<ValueId> outputs;
  // Outputs whose rows are slots, of each image as many (the pass use_slots), and how many of these are
  // filled: (N) float32.
  std::map<ValueId, ValueId> slots;

  // The value that a blob's name stands for at the end of the net; -1 where there is none.
  ValueId last_value(const std::string& blob) const;
};

// Writes into every value which node produces it, after nodes were added, moved or removed.
void set_producers(Graph& graph);

// What the caller will feed and wants back beyond what the net itself says.
struct GraphOptions {
  std::vector<std::string> feeds;  // blobs that are fed although the init net has a value for them
  std::vector<std::string> keep;   // blobs to return after the net's external outputs
  bool keep_all = false;           // return every blob
};

// Builds the graph. Throws Error(kGraph) where a blob is read that was not written before, fed or a weight,
// where an operator writes a blob twice, and where an output is written by no operator.
//
// Fed are the external inputs that `weights` has no value for, and those for which it only holds a place:
// `data`, `im_info`, and the first external input where all have values. Where the net names no external
// outputs they are those of its last operator.
Graph build_graph(const NetDef& net, const Blobs& weights, const GraphOptions& options = {});

}  // namespace caffe2rt
