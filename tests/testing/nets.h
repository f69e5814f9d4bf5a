// Nets for tests of the core, an operator a line.
#pragma once

#include <string>
#include <vector>

#include "proto/net_def.h"

namespace caffe2rt {

using Names = std::vector<std::string>;

inline OperatorDef op(const std::string& type, const Names& inputs, const Names& outputs) {
  OperatorDef def;
  def.type = type;
  def.inputs = inputs;
  def.outputs = outputs;
  return def;
}

// A net in file "net.pb".
inline NetDef net(const std::vector<OperatorDef>& ops, const Names& inputs = {}, const Names& outputs = {}) {
  NetDef def;
  def.ops = ops;
  def.external_inputs = inputs;
  def.external_outputs = outputs;
  def.source = "net.pb";
  return def;
}

}  // namespace caffe2rt
