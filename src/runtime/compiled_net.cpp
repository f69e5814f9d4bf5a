#include "runtime/compiled_net.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/logging.h"
#include "graph/passes/passes.h"
#include "kernels/dot_conv.h"
#include "runtime/check_operators.h"
#include "runtime/infer_shapes.h"
#include "runtime/net_memory.h"
#include "runtime/translate_exceptions.h"

namespace caffe2rt {
namespace {

// Weights that are no numbers would only show as frames without detections.
void check_finite(const Graph& graph) {
  for (const auto& [id, tensor] : graph.constants) {
    if (!at::isFloatingType(tensor.scalar_type())) continue;
    if (std::isfinite(tensor.sum().item<double>())) continue;  // a sum of finite numbers may still overflow
    const auto numbers = at::isfinite(tensor).sum().item<std::int64_t>();
    require(numbers == tensor.numel(), ErrorCode::kFormat,
            "weight '{}': expected finite numbers, got {} of {} that are NaN or infinite",
            graph.values[id].blob, tensor.numel() - numbers, tensor.numel());
  }
}

using Operators = std::vector<std::unique_ptr<Operator>>;

// An operator for each node. Throws Error.
Operators make_operators(const Graph& graph, c10::Device device) {
  Operators ops;
  for (const Node& node : graph.nodes)
    at_place([&] { return node.place(); },
             [&] {
               translating_exceptions(
                   [&] { ops.push_back(find_schema(node.def.type)->make(OperatorArgs(node.def, device))); });
             });
  return ops;
}

// Low precisions are asked for to be fast.
void warn_if_slow(Precision precision) {
  if (precision == Precision::kFloat32) return;
  const bool bfloat16 = precision == Precision::kBfloat16;
  if (dot_conv::fastest(bfloat16 ? dot_conv::Kind::kBfloat16 : dot_conv::Kind::kInt8) ==
      dot_conv::Way::kPlain)
    LOG(WARNING) << "precision " << (bfloat16 ? "bf16" : "int8")
                 << ": this processor has no instructions for it (AVX-512 with "
                 << (bfloat16 ? "BF16" : "VNNI") << "): it is computed slowly; fp32 is faster here";
}

std::vector<const Operator*> pointers(const Operators& ops) {
  std::vector<const Operator*> all;
  for (const auto& op : ops) all.push_back(op.get());
  return all;
}

}  // namespace

c10::Device parse_device(const std::string& name) {
  if (name == "cpu") return c10::DeviceType::CPU;
  if (name == "gpu" || name.starts_with("cuda"))
    fail(ErrorCode::kDevice, "device '{}': this build runs on the CPU only; use cpu", name);
  fail(ErrorCode::kArgument, "device: expected cpu, got '{}'", name);
}

CompiledNet CompiledNet::compile(const NetDef& net, const Blobs& weights, const CompileOptions& options) {
  require(options.precision != Precision::kInt8 || options.calibration, ErrorCode::kArgument,
          "precision int8: expected a calibration");
  warn_if_slow(options.precision);
  const NetMemory memory;  // packed weights too are read every frame
  CompiledNet compiled;
  check_operators(net);
  compiled.graph_ = build_graph(net, weights, options.graph);
  Graph& graph = compiled.graph_;
  at_place(
      [&] { return graph.source; },
      [&] {
        // Checked as the file has it, so that messages name what its reader knows.
        infer_shapes(graph, pointers(make_operators(graph, options.device)));
        const PassOptions packing{options.precision, options.calibration ? &*options.calibration : nullptr};
        run_passes(graph, rearranging_passes(), packing, options.without_passes);
        check_finite(graph);
        run_passes(graph, packing_passes(), packing, options.without_passes);
        for (auto& op : make_operators(graph, options.device)) {
          const Schema* schema = find_schema(graph.nodes[compiled.steps_.size()].def.type);
          compiled.steps_.push_back({std::move(op), schema, {}});
        }
        infer_shapes(graph, compiled.operators());
      });

  // A value dies after the last step that reads it, or that writes it where none does.
  std::vector<int> last_step(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); i++)
    for (const auto* ids : {&graph.nodes[i].inputs, &graph.nodes[i].outputs})
      for (const ValueId id : *ids) last_step[id] = static_cast<int>(i);
  const std::set<ValueId> kept(graph.outputs.begin(), graph.outputs.end());
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values.size()); id++)
    if (last_step[id] >= 0 && !kept.contains(id) && !graph.constants.contains(id))
      compiled.steps_[last_step[id]].dead_after.push_back(id);
  return compiled;
}

std::vector<const Operator*> CompiledNet::operators() const {
  std::vector<const Operator*> ops;
  for (const Step& step : steps_) ops.push_back(step.op.get());
  return ops;
}

void CompiledNet::check_shapes(const std::map<std::string, PartialShape>& inputs) const {
  std::map<ValueId, PartialShape> known;
  for (const ValueId id : graph_.inputs)
    if (const auto found = inputs.find(graph_.values[id].blob); found != inputs.end())
      known[id] = found->second;
  at_place([&] { return graph_.source; }, [&] { infer_shapes(graph_, operators(), known); });
}

std::vector<std::string> CompiledNet::input_names() const {
  std::vector<std::string> names;
  for (const ValueId id : graph_.inputs) names.push_back(graph_.values[id].blob);
  return names;
}

std::vector<std::string> CompiledNet::output_names() const {
  std::vector<std::string> names;
  for (const ValueId id : graph_.outputs) names.push_back(graph_.values[id].blob);
  return names;
}

void CompiledNet::run_step(size_t index, Workspace& workspace) const {
  const Node& node = graph_.nodes[index];
  const Step& step = steps_[index];
  std::vector<const at::Tensor*> tensors;
  for (const ValueId id : node.inputs) tensors.push_back(&workspace.values_[id]);
  const Inputs in(*step.schema, tensors);
  Outputs out(node.outputs.size());
  in.check_types();
  step.op->run(in, out);
  for (size_t i = 0; i < out.size(); i++) workspace.values_[node.outputs[i]] = std::move(out[i]);
}

Blobs CompiledNet::run(const Blobs& feeds, Workspace& workspace) const {
  const c10::InferenceMode no_gradients;
  const NetMemory memory;
  auto& values = workspace.values_;
  values.assign(graph_.values.size(), at::Tensor());
  for (const auto& [id, tensor] : graph_.constants) values[id] = tensor;
  at_place([&] { return graph_.source; },
           [&] {
             for (const ValueId id : graph_.inputs) {
               const auto& blob = graph_.values[id].blob;
               const auto fed = feeds.find(blob);
               require(fed != feeds.end(), ErrorCode::kNotFound, "input blob '{}' is not fed", blob);
               values[id] = fed->second;
             }
             for (size_t i = 0; i < steps_.size(); i++) {
               const auto start = std::chrono::steady_clock::now();
               at_place([&] { return graph_.nodes[i].place(); },
                        [&] { translating_exceptions([&] { run_step(i, workspace); }); });
               if (workspace.profile) workspace.profile->add(graph_.nodes[i], start, values);
               if (workspace.after_node) workspace.after_node(graph_.nodes[i], values);
               for (const ValueId id : steps_[i].dead_after) values[id].reset();
             }
           });
  Blobs results;
  for (const ValueId id : graph_.outputs) results[graph_.values[id].blob] = values[id];
  values.clear();
  return results;
}

Blobs run_init_net(const NetDef& net) {
  const OperatorDef& first = net.ops.front();
  if (!first.inputs.empty())
    at_place([&] { return net.source; },
             [&] {
               fail(ErrorCode::kGraph,
                    "expected an init net, got one that begins with operator '{}' reading blob '{}': are the "
                    "predict "
                    "net and the init net swapped?",
                    first.type, first.inputs.front());
             });
  CompileOptions options;
  options.graph.keep_all = true;
  NetDef without_interface = net;
  without_interface.external_outputs.clear();
  Workspace workspace;
  return CompiledNet::compile(without_interface, {}, options).run({}, workspace);
}

Blobs read_weights(const std::string& init_net) { return run_init_net(read_net(init_net)); }

}  // namespace caffe2rt
