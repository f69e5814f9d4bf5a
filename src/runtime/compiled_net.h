// CompiledNet: a net ready to run on one device in one precision. It is immutable and shared by threads; what
// a run needs of its own lies in a Workspace, one a worker.
#pragma once

#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/precision.h"
#include "graph/tuning.h"
#include "runtime/device.h"
#include "runtime/operator.h"
#include "runtime/place_operator.h"
#include "runtime/profile.h"
#include "runtime/recorded_runs.h"

namespace caffe2rt {

struct CompileOptions {
  c10::Device device = c10::DeviceType::CPU;
  Precision precision = Precision::kFloat32;
  std::optional<Calibration> calibration;  // what kInt8 needs
  GraphOptions graph;
  std::set<std::string>
      without_passes;  // names of passes not to run, to find out what one does; see passes.h
  bool only_predicted_masks =
      false;                      // `mask_fcn_probs` is then (R,1,H,W): the mask of the class in `class_nms`
  Tuning tuning;                  // of convolutions on the CPU
  std::set<std::string> on_host;  // on a GPU: types of operators to run on the CPU all the same, or "all"
  bool record_runs = true;        // on a GPU: those of inputs of the same shapes, where all operators can be
};

// The blobs of one run in progress. Not thread-safe: one a thread. Of one net alone where runs are recorded:
// another's of the same inputs would be taken for it.
class Workspace {
 public:
  Profile* profile = nullptr;  // filled during runs where it is set
  // Called after each node, where set, with all values that are alive, by ValueId.
  std::function<void(const Node&, const std::vector<at::Tensor>&)> after_node;

  // Until what this returns ends, what the calling thread asks of the device goes into the workspace's own
  // stream: frames of several workspaces are copied and computed beside each other. Nothing on the CPU.
  c10::OptionalStreamGuard on_stream(c10::Device device);

  // Until all of that is done, or has failed.
  void wait() const noexcept;

 private:
  friend class CompiledNet;
  std::vector<at::Tensor> values_;  // by ValueId
  RecordedRuns recorded_;
  std::shared_ptr<const c10::Stream> stream_;
};

class CompiledNet {
 public:
  // Checks and compiles. Throws Error for everything that is wrong with the net: see build_graph, kFormat for
  // weights that are NaN or infinite, and kArgument, kShape and kType from operators that refuse their
  // arguments or the shapes that are known before a run.
  // Weights that nobody else holds are freed as they are packed, so that memory does not hold both of all.
  static CompiledNet compile(const NetDef& net, Blobs weights, const CompileOptions& options = {});

  const Graph& graph() const { return graph_; }

  // What the caller has to feed, by name.
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;

  const c10::Device& device() const { return device_; }

  // The nodes that run on the CPU while the net runs on a GPU.
  std::vector<const Node*> on_host() const;

  // Checks that all operators take inputs of these shapes, as far as they can tell. Throws Error(kShape) with
  // the place of the first that does not.
  void check_shapes(const std::map<std::string, PartialShape>& inputs) const;

  // Whether runs on a GPU are recorded when inputs of the same shapes come again (recorded_runs.h).
  bool records_runs() const { return records_; }

  // Runs the net on `feeds`, which holds a tensor for every input name, and returns every output by name, on
  // the CPU; or those that are `wanted`, where all else stays on the device.
  // Throws Error(kNotFound) for a missing input, and what operators throw, with operator and file noted.
  Blobs run(const Blobs& feeds, Workspace& workspace, const std::vector<std::string>* wanted = nullptr) const;

 private:
  struct Step {
    std::unique_ptr<Operator> op;  // what the schema makes; shapes are inferred by it
    const Schema* schema = nullptr;
    PlacedOperator placed;            // on a GPU, what runs in its place
    std::vector<ValueId> dead_after;  // values that no later step reads
  };

  std::vector<const Operator*> operators() const;
  std::vector<at::Tensor> run_steps(const std::map<ValueId, at::Tensor>& feeds, Workspace& workspace) const;
  std::vector<at::Tensor> run_recorded(const std::map<ValueId, at::Tensor>& feeds,
                                       Workspace& workspace) const;
  void run_step(size_t index, Workspace& workspace) const;

  void place(const CompileOptions& options);

  Graph graph_;
  std::vector<Step> steps_;  // by node
  c10::Device device_ = c10::DeviceType::CPU;
  bool records_ = false;
  std::set<ValueId> of_host_;  // inputs that are read in the host's memory alone
};

// Runs an init net and returns every blob it writes. Throws Error: also kGraph where the net reads a blob,
// which is how a predict net in the init net's place shows.
Blobs run_init_net(const NetDef& net);

// The same of a file, whose contents are in memory only once when it returns. Throws Error.
Blobs read_weights(const std::string& init_net);

// Blobs of the same sizes and types without memory (device meta).
Blobs shapes_of(const Blobs& blobs);

}  // namespace caffe2rt
