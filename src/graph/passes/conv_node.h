// ConvNode: a convolution of a graph as a pass that packs its filter sees it.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "graph/graph.h"
#include "ops/window.h"

namespace caffe2rt {

struct ConvNode {
  enum Input { kX, kFilter, kBias, kResidual };

  Window window;
  std::int64_t group = 1;
  at::Tensor filter;  // (M,C/group,KH,KW) float32

  // None where the node is no Conv over two axes in NCHW order with a constant filter that fits its window
  // and padding that does not depend on the input's size.
  static std::optional<ConvNode> find(const Graph& graph, const Node& node);
};

// Whether a node is a caffe2rt.MatMulConv in float32 of pixels, or of little more channels.
bool reads_pixels(const Node& node);

}  // namespace caffe2rt
