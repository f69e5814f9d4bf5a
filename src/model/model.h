// Model: the files of one network made ready to look at frames. This header needs no tensor library: a
// program that must start fast opens libcaffe2rt.so when the first model is wanted and asks it for
// kLoadModelSymbol.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode/detect_options.h"
#include "decode/detections.h"
#include "frame/frame_view.h"

namespace caffe2rt {

// What is asked of a model. A negative number or an empty string asks for what the net's own arguments say,
// and where they are silent for detectron2's default.
struct ModelOptions {
  std::string predict_net;  // file
  std::string init_net;     // file
  std::string labels_file;  // one name a line; empty: `labels.txt` beside the predict net, where there is one
  std::string device = "cpu";      // see parse_device (runtime/device.h); several with commas between them: a
                                   // batch goes to the one that has least to do
  int max_memory = 0;              // that this process may have on each GPU, MiB; 0: all there is
  std::string precision = "auto";  // see parse_precision (graph/precision.h)
  std::string disable_passes;      // names with commas between them; see parse_passes (graph/passes/passes.h)
  int threads = 0;                 // of one inference; 0: all cores this process may use
  int min_size = -1;         // short side of the net's input, pixels; default 800, or the one size that a
                             // classifier takes (image_layout.h)
  int max_size = -1;         // bound on its long side, pixels; default 1333
  std::string input_format;  // BGR (default) or RGB: the channel order the net was trained on
  float threshold = -1;      // detections of lower score are left out; default: what the net itself keeps
  int max_detections = -1;   // the best so many; default: all
  Output output = Output::kMasks;

  bool operator==(const ModelOptions&) const = default;
};

// What was loaded.
struct ModelInfo {
  std::string name;               // of the net
  std::string meta_architecture;  // GeneralizedRCNN, RetinaNet, PanopticFPN, SemanticSegmentor,
                                  // ProposalNetwork, or "" for any other net
  int min_size = 0, max_size = 0, size_divisibility = 0;
  std::string input_format;
  int channels = 0;                     // of the net's input: 3, or 1 for luma
  bool reads_gpu_memory = false;        // frames may be in a GPU's memory; results are in the host's
  std::optional<FrameSize> fixed_size;  // of the net's input; frames are stretched to it
  std::shared_ptr<const std::vector<std::string>> labels;
};

// Immutable; detect() may be called from several threads at once. All methods throw Error.
class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;

  // What the options given to load_model come to.
  virtual const DetectOptions& defaults() const = 0;

  // Looks at a batch of frames, of different sizes if need be; one result a frame, in pixels of that frame.
  virtual std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                                const DetectOptions& options) const = 0;
};

// Reads, checks and compiles a model. Throws Error.
std::unique_ptr<Model> load_model(const ModelOptions& options);

// Finds `model.pb` and `model_init.pb`, else `predict_net.pb` and `init_net.pb` (or their .pbtxt forms), in a
// directory and writes them into options. Throws Error(kNotFound) that names what was looked for.
void find_model_files(const std::string& directory, ModelOptions& options);

// The signature of load_model as libcaffe2rt.so exports it under kLoadModelSymbol, for dlsym.
using LoadModel = Model* (*)(const ModelOptions&);
inline constexpr char kLoadModelSymbol[] = "caffe2rt_load_model";

}  // namespace caffe2rt
