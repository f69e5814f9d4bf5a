// Which numbers each convolution and fully connected layer of a net multiplies.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/passes/passes.h"
#include "ops/matmul_kernel.h"

namespace caffe2rt {

// By node; of nodes that are neither a Conv nor an FC it says nothing. In int8 those multiply bfloat16 whose
// results are logits or deltas that no other layer reads, and those whose input has no range; in low
// precision those float32 that see pixels.
std::vector<MatMulKind> choose_kinds(const Graph& graph, const PassOptions& options);

}  // namespace caffe2rt
