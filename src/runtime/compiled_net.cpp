#include "runtime/compiled_net.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/logging.h"
#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "kernels/dot_conv.h"
#include "runtime/check_operators.h"
#include "runtime/filled_slots.h"
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

// An operator for each node, as its schema makes it. Throws Error.
Operators make_operators(const Graph& graph) {
  Operators ops;
  for (const Node& node : graph.nodes)
    at_place(
        [&] { return node.place(); },
        [&] {
          translating_exceptions([&] {
            ops.push_back(find_schema(node.def.type)->make(OperatorArgs(node.def, c10::DeviceType::CPU)));
          });
        });
  return ops;
}

// A low precision is asked for to be fast.
void warn_if_slow(Precision precision, c10::Device device) {
  if (precision == Precision::kBfloat16 && device.is_cpu() &&
      dot_conv::fastest(dot_conv::Kind::kBfloat16) == dot_conv::Way::kWidened)
    LOG(WARNING)
        << "precision bf16: this processor has no instructions for it (AVX-512 with BF16): bfloat16 is "
           "multiplied as float32, which gains little";
}

void check_precision(const CompileOptions& options) {
  require(options.precision != Precision::kInt8 || options.calibration, ErrorCode::kArgument,
          "precision int8: expected a calibration");
  require(options.precision != Precision::kFloat16 || !options.device.is_cpu(), ErrorCode::kUnsupported,
          "precision fp16: only on a GPU; the CPU has fp32, bf16 and int8");
  require(options.precision != Precision::kInt8 || options.device.is_cpu(), ErrorCode::kUnsupported,
          "precision int8: only on the CPU; a GPU has fp32, fp16 and bf16");
}

// The C library keeps what the weights took before they were packed; nothing later is as large.
void give_back_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// The device that a run's tensors are made on, by those who name none.
c10::OptionalDeviceGuard guard_of(c10::Device device) {
  return device.is_cpu() ? c10::OptionalDeviceGuard() : c10::OptionalDeviceGuard(device);
}

// Waits until the device has done what this thread asked of it.
void wait_for(c10::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).getStream(device).synchronize();
}

// By way of pinned memory, which the device reads while this thread goes on.
at::Tensor to_device(const at::Tensor& tensor, c10::Device device) {
  if (tensor.device() == device) return tensor;
  return (tensor.is_cpu() ? tensor.pin_memory() : tensor)
      .to(device, tensor.scalar_type(), /*non_blocking=*/true);
}

// Into pinned memory; complete only after wait_for(). What the host reads is float32.
at::Tensor to_pinned(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return tensor;
  const at::Tensor whole = c10::isReducedFloatingType(tensor.scalar_type()) ? tensor.to(at::kFloat) : tensor;
  at::Tensor here = at::empty_like(whole, whole.options().device(at::kCPU).pinned_memory(true));
  return here.copy_(whole, /*non_blocking=*/true);
}

// The numbers that convolutions and fully connected layers multiply on a GPU.
at::ScalarType multiplied_type(Precision precision) {
  if (precision == Precision::kFloat16) return at::kHalf;
  return precision == Precision::kBfloat16 ? at::kBFloat16 : at::kFloat;
}

// The input that is multiplied as a filter there; none of other operators.
std::optional<size_t> filter_input(const Node& node) {
  if (node.def.type == "Conv" || node.def.type == "ConvTranspose" || node.def.type == "FC") return 1;
  return node.def.type == "caffe2rt.DeformConv" ? std::optional<size_t>(2) : std::nullopt;
}

std::vector<const Operator*> pointers(const Operators& ops) {
  std::vector<const Operator*> all;
  for (const auto& op : ops) all.push_back(op.get());
  return all;
}

}  // namespace

c10::OptionalStreamGuard Workspace::on_stream(c10::Device device) {
  if (device.is_cpu()) return c10::OptionalStreamGuard();
  if (!stream_ || stream_->device() != device) stream_ = cuda_module()->lend_stream(device);
  return c10::OptionalStreamGuard(*stream_);
}

void Workspace::wait() const noexcept {
  if (!stream_) return;
  try {
    stream_->synchronize();
  } catch (const std::exception& e) {
    VLOG(1) << e.what();  // and so says what is asked of the device next
  }
}

CompiledNet CompiledNet::compile(const NetDef& net, Blobs weights, const CompileOptions& options) {
  load_devices();
  check_precision(options);
  warn_if_slow(options.precision, options.device);
  const NetMemory memory;  // packed weights too are read every frame
  CompiledNet compiled;
  compiled.device_ = options.device;
  check_operators(net);
  compiled.graph_ = build_graph(net, weights, options.graph);
  weights.clear();
  Graph& graph = compiled.graph_;
  at_place([&] { return graph.source; },
           [&] {
             // Checked as the file has it, so that messages name what its reader knows.
             infer_shapes(graph, pointers(make_operators(graph)));
             const PassOptions passes{options.precision,
                                      options.calibration ? &*options.calibration : nullptr,
                                      options.only_predicted_masks, options.tuning};
             const auto run = [&](const auto& some) {
               translating_exceptions([&] { run_passes(graph, some, passes, options.without_passes); });
             };
             run(rearranging_passes());
             check_finite(graph);
             if (options.device.is_cpu())
               run(packing_passes());
             else if (options.on_host.empty())  // the host's operators do not know of slots
               run(gpu_passes());
             for (auto& op : make_operators(graph)) {
               const Schema* schema = find_schema(graph.nodes[compiled.steps_.size()].def.type);
               compiled.steps_.push_back({std::move(op), schema, {}, {}});
             }
             infer_shapes(graph, compiled.operators());
             if (!options.device.is_cpu()) translating_exceptions([&] { compiled.place(options); });
           });

  // A value dies after the last step that reads it, or that writes it where none does.
  std::vector<int> last_step(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); i++)
    for (const auto* ids : {&graph.nodes[i].inputs, &graph.nodes[i].outputs})
      for (const ValueId id : *ids) last_step[id] = static_cast<int>(i);
  std::set<ValueId> kept(graph.outputs.begin(), graph.outputs.end());
  for (const auto& [output, filled] : graph.slots) kept.insert(filled);
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values.size()); id++)
    if (last_step[id] >= 0 && !kept.contains(id) && !graph.constants.contains(id))
      compiled.steps_[last_step[id]].dead_after.push_back(id);
  give_back_memory();
  return compiled;
}

// Puts operators and weights on the device.
void CompiledNet::place(const CompileOptions& options) {
  const auto guard = guard_of(device_);
  const at::ScalarType multiplied = multiplied_type(options.precision);
  records_ = options.record_runs;
  of_host_ = {graph_.inputs.begin(), graph_.inputs.end()};
  for (const ValueId id : graph_.outputs) of_host_.erase(id);
  std::map<ValueId, bool> only_on_host, only_multiplied;
  std::set<ValueId> in_windows;  // filters (M,C,KH,KW)
  for (size_t i = 0; i < steps_.size(); i++) {
    const Node& node = graph_.nodes[i];
    Step& step = steps_[i];
    at_place([&] { return node.place(); },
             [&] {
               const OperatorArgs args(node.def, device_);
               step.placed = place_operator(*step.schema, *step.op, args, options.on_host);
             });
    if (step.placed.on_host) VLOG(1) << "on the host: " << node.place();
    if (records_ && !step.placed.op->can_be_recorded()) {
      VLOG(1) << "runs are not recorded: " << node.place();
      records_ = false;
    }
    for (size_t k = 0; k < node.inputs.size(); k++) {
      if (!step.schema->input(k).on_host) of_host_.erase(node.inputs[k]);
      const bool filter = k == filter_input(node) && !step.placed.on_host;
      only_on_host.try_emplace(node.inputs[k], true).first->second &= step.placed.on_host;
      only_multiplied.try_emplace(node.inputs[k], true).first->second &= filter;
      if (filter && node.def.type != "FC" && in_nchw(node.def)) in_windows.insert(node.inputs[k]);
    }
  }
  // What only the host reads stays there.
  for (auto& [id, tensor] : graph_.constants) {
    if (!only_on_host.contains(id) || only_on_host[id]) continue;
    const bool filter = only_multiplied[id] && tensor.scalar_type() == at::kFloat;
    tensor = tensor.to(device_, filter ? multiplied : tensor.scalar_type());
    // As cuDNN is fastest with it. In order NHWC a filter lies so already.
    if (filter && tensor.dim() == 4 && in_windows.contains(id))
      tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }
  wait_for(device_);  // runs use streams of their own
}

std::vector<const Node*> CompiledNet::on_host() const {
  std::vector<const Node*> nodes;
  for (size_t i = 0; i < steps_.size(); i++)
    if (steps_[i].placed.on_host) nodes.push_back(&graph_.nodes[i]);
  return nodes;
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
  (step.placed.op ? *step.placed.op : *step.op).run(in, out);
  for (size_t i = 0; i < out.size(); i++) workspace.values_[node.outputs[i]] = std::move(out[i]);
}

// What the caller wants to have, of inputs by value: its outputs, then how many of their slots are filled.
std::vector<at::Tensor> CompiledNet::run_steps(const std::map<ValueId, at::Tensor>& feeds,
                                               Workspace& workspace) const {
  auto& values = workspace.values_;
  values.assign(graph_.values.size(), at::Tensor());
  for (const auto& [id, tensor] : graph_.constants) values[id] = tensor;
  for (const auto& [id, tensor] : feeds) values[id] = tensor;
  for (size_t i = 0; i < steps_.size(); i++) {
    const auto start = std::chrono::steady_clock::now();
    at_place([&] { return graph_.nodes[i].place(); },
             [&] { translating_exceptions([&] { run_step(i, workspace); }); });
    if (workspace.profile) {
      wait_for(device_);
      workspace.profile->add(graph_.nodes[i], start, values);
    }
    if (workspace.after_node) workspace.after_node(graph_.nodes[i], values);
    for (const ValueId id : steps_[i].dead_after) values[id].reset();
  }
  std::vector<at::Tensor> results;
  for (const ValueId id : graph_.outputs) results.push_back(values[id]);
  for (const auto& [output, filled] : graph_.slots) results.push_back(values[filled]);
  return results;
}

std::vector<at::Tensor> CompiledNet::run_recorded(const std::map<ValueId, at::Tensor>& feeds,
                                                  Workspace& workspace) const {
  std::vector<at::Tensor> of_device, of_host;
  for (const auto& [id, tensor] : feeds) (of_host_.contains(id) ? of_host : of_device).push_back(tensor);
  return workspace.recorded_.run(*cuda_module(), of_device, of_host, [&](const std::vector<at::Tensor>& in) {
    std::map<ValueId, at::Tensor> all = feeds;
    size_t next = 0;
    for (auto& [id, tensor] : all)
      if (!of_host_.contains(id)) tensor = in[next++];
    return run_steps(all, workspace);
  });
}

Blobs CompiledNet::run(const Blobs& feeds, Workspace& workspace,
                       const std::vector<std::string>* wanted) const {
  const c10::InferenceMode no_gradients;
  const NetMemory memory;
  const auto on_stream = workspace.on_stream(device_);
  // Nothing of a run stays behind it, also where it fails: what is tried next may need the memory.
  const auto clear = [](std::vector<at::Tensor>* values) { values->clear(); };
  const std::unique_ptr<std::vector<at::Tensor>, decltype(clear)> cleared(&workspace.values_, clear);
  const bool watched = workspace.profile || workspace.after_node;
  std::vector<at::Tensor> results;
  at_place([&] { return graph_.source; },
           [&] {
             std::map<ValueId, at::Tensor> fed;
             for (const ValueId id : graph_.inputs) {
               const auto& blob = graph_.values[id].blob;
               const auto feed = feeds.find(blob);
               require(feed != feeds.end(), ErrorCode::kNotFound, "input blob '{}' is not fed", blob);
               const bool stays = device_.is_cpu() || of_host_.contains(id);
               fed[id] = stays ? feed->second : to_device(feed->second, device_);
             }
             results = records_ && !watched ? run_recorded(fed, workspace) : run_steps(fed, workspace);
           });
  const auto is_wanted = [&](ValueId id) {
    return !wanted || std::ranges::find(*wanted, graph_.values[id].blob) != wanted->end();
  };
  std::map<ValueId, at::Tensor> here;
  size_t next = 0;
  for (const ValueId id : graph_.outputs) {
    if (is_wanted(id)) here.try_emplace(id, to_pinned(results[next]));
    next++;
  }
  for (const auto& [output, filled] : graph_.slots) {
    if (is_wanted(output) && !here.contains(filled)) here[filled] = to_pinned(results[next]);
    next++;
  }
  wait_for(device_);
  Blobs blobs;
  for (const ValueId id : graph_.outputs) {
    if (!is_wanted(id)) continue;
    const auto slots = graph_.slots.find(id);
    blobs[graph_.values[id].blob] =
        slots == graph_.slots.end() ? here[id] : filled_slots(here[id], here[slots->second]);
  }
  return blobs;
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

Blobs shapes_of(const Blobs& blobs) {
  Blobs shapes;
  for (const auto& [name, blob] : blobs)
    shapes.emplace(name, at::empty(blob.sizes(), blob.options().device(at::kMeta)));
  return shapes;
}

Blobs read_weights(const std::string& init_net) { return run_init_net(read_net(init_net)); }

}  // namespace caffe2rt
