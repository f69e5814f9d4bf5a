#include "runtime/infer_shapes.h"

#include "base/error.h"
#include "runtime/nominal_type.h"

namespace caffe2rt {
namespace {

void check_constant_types(const Graph& graph, const Node& node, const Schema& schema) {
  for (size_t i = 0; i < node.inputs.size(); i++) {
    const auto constant = graph.constants.find(node.inputs[i]);
    if (constant == graph.constants.end()) continue;
    const at::Tensor* tensor = &constant->second;
    require(contains(schema.input(i).types, nominal_type(*tensor)), ErrorCode::kType,
            "input {} '{}' (blob '{}'): unexpected element type {}", i, schema.input(i).name,
            node.def.inputs[i], c10::toString(tensor->scalar_type()));
  }
}

}  // namespace

std::vector<PartialShape> infer_shapes(const Graph& graph, const std::vector<const Operator*>& ops,
                                       const std::map<ValueId, PartialShape>& inputs) {
  std::vector<PartialShape> shapes(graph.values.size());
  for (const auto& [id, shape] : inputs) shapes[id] = shape;
  for (const auto& [id, tensor] : graph.constants) shapes[id] = tensor.sizes().vec();
  for (size_t n = 0; n < graph.nodes.size(); n++) {
    const Node& node = graph.nodes[n];
    at_place([&] { return node.place(); },
             [&] {
               const Schema& schema = *find_schema(node.def.type);
               check_constant_types(graph, node, schema);
               std::vector<PartialShape> in;
               for (const ValueId id : node.inputs) in.push_back(shapes[id]);
               for (size_t i = 0; i < node.outputs.size(); i++)
                 if (const Infer& infer = schema.output(i).infer)
                   shapes[node.outputs[i]] = infer(*ops[n], in);
             });
  }
  return shapes;
}

}  // namespace caffe2rt
