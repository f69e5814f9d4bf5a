// Before: Conv(X, f) -> Y and Conv(Z, g) -> W, where the constants f and g hold the same numbers: exports
// write weights that two heads share, as those of C4 do, once for each. After: both read f, which is packed
// and kept in memory once.
#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"

namespace caffe2rt {
namespace {

bool are_equal(const at::Tensor& a, const at::Tensor& b) {
  return std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

// Which constant can be read in the place of another.
std::map<ValueId, ValueId> find_copies(const Graph& graph) {
  std::map<ValueId, ValueId> copies;
  std::map<std::tuple<at::ScalarType, std::vector<std::int64_t>>, std::vector<ValueId>> by_shape;
  for (const auto& [id, tensor] : graph.constants) {
    if (!tensor.is_contiguous() || tensor.nbytes() == 0) continue;
    auto& alike = by_shape[{tensor.scalar_type(), tensor.sizes().vec()}];
    const auto same = std::ranges::find_if(
        alike, [&, &value = tensor](ValueId other) { return are_equal(value, graph.constants.at(other)); });
    if (same == alike.end())
      alike.push_back(id);
    else
      copies[id] = *same;
  }
  return copies;
}

}  // namespace

void join_constants(Graph& graph) {
  const std::map<ValueId, ValueId> copies = find_copies(graph);
  for (Node& node : graph.nodes) {
    std::vector<ValueId> inputs = node.inputs;
    for (ValueId& id : inputs)
      if (const auto found = copies.find(id); found != copies.end()) id = found->second;
    if (inputs != node.inputs) set_inputs(graph, node, std::move(inputs));
  }
  drop_unread_constants(graph);
}

}  // namespace caffe2rt
