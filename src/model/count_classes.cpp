#include "model/count_classes.h"

#include <algorithm>
#include <set>
#include <string>

namespace caffe2rt {
namespace {

// Operators that leave the number of channels of their first input as it is.
const std::set<std::string> kKeepChannels = {"Softmax",      "Sigmoid",      "Relu",    "Copy",
                                             "CopyCPUToGPU", "CopyGPUToCPU", "Dropout", "Alias",
                                             "AveragePool",  "Flatten",      "Squeeze"};
const std::set<std::string> kChannelsOfWeight = {"Conv", "FC"};  // as many as their weight has rows

// Channels of a blob as operator `before` would read it.
std::optional<std::int64_t> channels(const NetDef& net, const Blobs& weights, std::string blob,
                                     size_t before) {
  for (size_t i = before; i-- > 0;) {
    const OperatorDef& op = net.ops[i];
    if (std::find(op.outputs.begin(), op.outputs.end(), blob) == op.outputs.end()) continue;
    if (kChannelsOfWeight.contains(op.type) && op.inputs.size() > 1) {
      const auto weight = weights.find(op.inputs[1]);
      if (weight == weights.end() || weight->second.dim() == 0) return std::nullopt;
      return weight->second.size(0);
    }
    if (!kKeepChannels.contains(op.type) || op.inputs.empty()) return std::nullopt;
    blob = op.inputs[0];
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> count_classes(const NetDef& net, const Blobs& weights) {
  for (size_t i = net.ops.size(); i-- > 0;) {
    const OperatorDef& op = net.ops[i];
    if (op.type != "BoxWithNMSLimit" || op.inputs.empty()) continue;
    const auto scores = channels(net, weights, op.inputs[0], i);
    return scores ? std::optional(*scores - 1) : std::nullopt;  // one is the background
  }
  const auto scores = channels(net, weights, "box_cls_0", net.ops.size());
  const auto deltas = channels(net, weights, "box_delta_0", net.ops.size());
  if (scores && deltas && *deltas >= 4) return *scores / (*deltas / 4);
  if (net.ops.empty() || net.ops.back().type != "Softmax") return std::nullopt;
  return channels(net, weights, net.ops.back().outputs.at(0), net.ops.size());
}

}  // namespace caffe2rt
