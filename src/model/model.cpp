#include "model/model.h"

#include <ATen/Parallel.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index.h>
#include <ATen/ops/isfinite.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "base/cores.h"
#include "base/error.h"
#include "decode/decoder.h"
#include "decode/net_args.h"
#include "graph/passes/passes.h"
#include "model/calibrator.h"
#include "model/count_classes.h"
#include "model/image_layout.h"
#include "model/labels.h"
#include "model/spread_model.h"
#include "preprocess/preprocess.h"
#include "runtime/compiled_net.h"
#include "runtime/net_memory.h"
#include "runtime/translate_exceptions.h"
#include "runtime/workspaces.h"

namespace caffe2rt {
namespace {

constexpr int kLargestSide = 32768;  // of a net's input, pixels

// An option, the net's argument, or the default, in this order.
int choose(int option, const NetDef& net, const char* argument, int otherwise) {
  const std::int64_t value = option >= 0 ? option : net_int(net, argument, otherwise);
  require(value >= 0 && value <= kLargestSide, ErrorCode::kArgument, "{}: expected 0 to {}, got {}", argument,
          kLargestSide, value);
  return static_cast<int>(value);
}

// What stands between commas.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

ResizeMode read_resize_mode(const NetDef& net) {
  const std::string mode = net_string(net, "resize_mode", "antialiased");
  require(mode == "antialiased" || mode == "bilinear", ErrorCode::kArgument,
          "net argument 'resize_mode': expected antialiased or bilinear, got '{}'", mode);
  return mode == "bilinear" ? ResizeMode::kBilinear : ResizeMode::kAntialiased;
}

PreprocessOptions choose_preprocess(const ModelOptions& options, const NetDef& net) {
  const std::string format =
      options.input_format.empty() ? net_string(net, "input_format", "BGR") : options.input_format;
  require(format == "BGR" || format == "RGB", ErrorCode::kArgument,
          "input format: expected BGR or RGB, got '{}'", format);
  PreprocessOptions chosen;
  chosen.min_size = choose(options.min_size, net, "min_size_test", chosen.min_size);
  chosen.max_size = choose(options.max_size, net, "max_size_test", chosen.max_size);
  chosen.size_divisibility = choose(-1, net, "size_divisibility", chosen.size_divisibility);
  chosen.rgb = format == "RGB";
  chosen.resize_mode = read_resize_mode(net);
  std::ranges::copy(net_floats(net, "padding_value", {0, 0, 0}), chosen.padding.begin());
  require(chosen.max_size > 0, ErrorCode::kArgument, "max size: expected at least 1, got 0");
  return chosen;
}

// The input that takes the image. Throws Error(kGraph) where there is none, or another input is left without
// a value.
std::string image_input(const CompiledNet& net) {
  std::vector<std::string> names = net.input_names();
  std::erase(names, "im_info");
  std::erase(names, kImageSizesBlob);
  std::erase(names, kDetectionLimitsBlob);
  require(!names.empty(), ErrorCode::kGraph, "{}: no input takes an image", net.graph().source);
  const auto data = std::find(names.begin(), names.end(), "data");
  std::string image = data == names.end() ? names.front() : *data;
  std::erase(names, image);
  std::string missing;
  for (const auto& name : names) missing += missing.empty() ? name : ", " + name;
  require(missing.empty(), ErrorCode::kGraph,
          "{}: expected '{}' and 'im_info' as the only inputs without weights, got {}", net.graph().source,
          image, missing);
  return image;
}

// (N,4) float32: height and width of each input, then of each frame.
at::Tensor tensor_of(const std::vector<ImageSizes>& sizes) {
  at::Tensor rows = at::empty({std::ssize(sizes), 4}, at::kFloat);
  auto* to = rows.mutable_data_ptr<float>();
  for (const ImageSizes& s : sizes)
    for (const int side : {s.input.height, s.input.width, s.frame.height, s.frame.width})
      *to++ = static_cast<float>(side);
  return rows;
}

std::optional<Labels> choose_labels(const ModelOptions& options, const NetDef& net, const Blobs& weights) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path beside = fs::path(options.predict_net).parent_path() / "labels.txt";
  if (options.labels_file.empty() && !fs::exists(beside, error)) return {};
  const fs::path file = options.labels_file.empty() ? beside : fs::path(options.labels_file);
  return read_labels(file, count_classes(net, weights));
}

class NetModel final : public Model {
 public:
  explicit NetModel(const ModelOptions& options)
      : threads_(options.threads > 0 ? options.threads : allowed_cores()) {
    use_threads();
    NetDef predict_net = read_net(options.predict_net);
    Blobs weights = read_weights(options.init_net);
    const Blobs shapes = shapes_of(weights);
    decoder_ = make_decoder(predict_net);
    preprocess_ = choose_preprocess(options, predict_net);
    CompileOptions compile;
    compile.device = parse_device(options.device);
    if (options.max_memory > 0) limit_memory(compile.device, std::int64_t{options.max_memory} << 20);
    compile.precision = parse_precision(options.precision);
    compile.calibration = calibration_for(compile.precision, options.predict_net);
    compile.without_passes = parse_passes(split(options.disable_passes));
    if (compile.device.is_cpu())
      compile.tuning = read_tuning(TuningKey{options.predict_net, compile.precision, threads_}.file());
    compile.only_predicted_masks = options.output != Output::kRaw;  // decoders read no others
    compile.graph.keep = decoder_->blobs_needed();
    if (!compile.device.is_cpu()) add_operators_for_gpu(predict_net, compile.graph.keep);
    net_ = CompiledNet::compile(predict_net, std::move(weights), compile);
    image_input_ = image_input(net_);
    const ImageLayout layout = find_image_layout(net_, image_input_, shapes);
    preprocess_.channels = layout.channels;
    preprocess_.channels_last = layout.channels_last;
    // Detectors keep the shape of a picture, whatever size they were exported with.
    const bool classifier = decoder_->meta_architecture().empty();
    if (classifier && options.min_size < 0) preprocess_.fixed_size = layout.size;

    info_.name = predict_net.name;
    info_.meta_architecture = decoder_->meta_architecture();
    info_.min_size = preprocess_.min_size;
    info_.max_size = preprocess_.max_size;
    info_.size_divisibility = preprocess_.size_divisibility;
    info_.input_format = preprocess_.rgb ? "RGB" : "BGR";
    info_.channels = preprocess_.channels;
    info_.reads_gpu_memory = !net_.device().is_cpu() && gpu_image_writer() != nullptr;
    info_.fixed_size = preprocess_.fixed_size;
    if (auto labels = choose_labels(options, predict_net, shapes)) {
      info_.labels = std::make_shared<const std::vector<std::string>>(std::move(labels->names));
      defaults_.class_thresholds = std::move(labels->thresholds);
    }
    defaults_.threshold = std::max(0.0F, options.threshold);
    defaults_.max_detections = options.max_detections;
    defaults_.output = options.output;
  }

  ~NetModel() override {
    net_ = CompiledNet();
    NetMemory::trim();
  }
  NetModel(const NetModel&) = delete;
  NetModel& operator=(const NetModel&) = delete;

  const ModelInfo& info() const override { return info_; }
  const DetectOptions& defaults() const override { return defaults_; }

  std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                        const DetectOptions& options) const override {
    if (frames.empty()) return {};
    use_threads();
    return translating_exceptions([&] { return detect_batch(frames, options); });
  }

  // Calls `after_node` while it looks at a frame; see Workspace.
  template <class F>
  void watch(const FrameView& frame, F&& after_node) const {
    use_threads();
    translating_exceptions([&] {
      const c10::InferenceMode no_gradients;
      Workspace workspace;
      const auto on_stream = workspace.on_stream(net_.device());
      const NetInput input = preprocess({&frame, 1}, preprocess_, net_.device());
      workspace.after_node = std::forward<F>(after_node);
      net_.run(feeds_of(input, {{input.sizes[0], {frame.height, frame.width}}}, defaults_), workspace);
    });
  }
  const Graph& graph() const { return net_.graph(); }

 private:
  // The tensor library keeps the number of threads for each calling thread.
  void use_threads() const {
    if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
  }

  // What they make is kept.
  void add_operators_for_gpu(NetDef& net, std::vector<std::string>& keep) const {
    if (net.external_outputs.empty() && !net.ops.empty()) net.external_outputs = net.ops.back().outputs;
    for (const OperatorDef& op : decoder_->operators_for_gpu()) {
      net.ops.push_back(op);
      for (const char* fed : {kImageSizesBlob, kDetectionLimitsBlob})
        if (std::ranges::count(op.inputs, fed) > 0 && std::ranges::count(net.external_inputs, fed) == 0)
          net.external_inputs.emplace_back(fed);
      keep.insert(keep.end(), op.outputs.begin(), op.outputs.end());
    }
  }

  std::vector<std::shared_ptr<const Detections>> detect_batch(std::span<const FrameView> frames,
                                                              const DetectOptions& options) const {
    const c10::InferenceMode no_gradients;
    const NetMemory memory;
    const auto workspace = workspaces_.lend();
    const auto on_stream = workspace->on_stream(net_.device());
    try {
      return detect_in(*workspace, frames, options);
    } catch (...) {
      workspace->wait();  // frames in a GPU's memory may be read until then
      throw;
    }
  }

  Blobs feeds_of(const NetInput& input, const std::vector<ImageSizes>& sizes,
                 const DetectOptions& options) const {
    Blobs feeds = {{image_input_, input.data}, {"im_info", input.im_info}};
    if (net_.device().is_cpu()) return feeds;
    feeds[kImageSizesBlob] = tensor_of(sizes);
    feeds[kDetectionLimitsBlob] = tensor_of(options);
    return feeds;
  }

  std::vector<std::shared_ptr<const Detections>> detect_in(Workspace& workspace,
                                                           std::span<const FrameView> frames,
                                                           const DetectOptions& options) const {
    const NetInput input = preprocess(frames, preprocess_, net_.device());
    std::vector<ImageSizes> sizes;
    for (size_t i = 0; i < frames.size(); i++)
      sizes.push_back({input.sizes[i], {frames[i].height, frames[i].width}});
    const auto wanted = decoder_->blobs_read(options.output, !net_.device().is_cpu());
    const Blobs blobs = net_.run(feeds_of(input, sizes, options), workspace, &wanted);
    std::vector<std::shared_ptr<const Detections>> results;
    for (Detections& seen : decoder_->decode(blobs, sizes, options)) {
      seen.labels = info_.labels;
      results.push_back(std::make_shared<const Detections>(std::move(seen)));
    }
    return results;
  }

  const int threads_;
  std::unique_ptr<Decoder> decoder_;
  PreprocessOptions preprocess_;
  CompiledNet net_;
  mutable Workspaces workspaces_;
  std::string image_input_;
  ModelInfo info_;
  DetectOptions defaults_;
};

// Sums of the least and largest values that a blob had, frame by frame.
struct Extremes {
  double low = 0, high = 0;
  int frames = 0;
};

class NetCalibrator final : public Calibrator {
 public:
  explicit NetCalibrator(const ModelOptions& options) : model_(options) {}

  void look(const FrameView& frame) override {
    model_.watch(frame, [&](const Node& node, const std::vector<at::Tensor>& values) {
      const bool layer = node.file_type == "Conv" || node.file_type == "FC";
      if (!layer || values[node.inputs.front()].numel() == 0) return;
      // What is pooled from an empty region is not finite, and says nothing of the others.
      at::Tensor numbers = values[node.inputs.front()];
      if (const at::Tensor finite = numbers.isfinite(); !finite.all().item<bool>())
        numbers = numbers.index({finite});
      if (numbers.numel() == 0) return;
      const auto [low, high] = at::aminmax(numbers);
      Extremes& seen = seen_[model_.graph().values[node.inputs.front()].blob];
      seen.low += low.item<float>();
      seen.high += high.item<float>();
      seen.frames++;
    });
  }

  Calibration result() const override {
    Calibration calibration;
    for (const auto& [blob, seen] : seen_)
      calibration.ranges[blob] = {static_cast<float>(seen.low / seen.frames),
                                  static_cast<float>(seen.high / seen.frames)};
    return calibration;
  }

 private:
  const NetModel model_;
  std::map<std::string, Extremes> seen_;
};

}  // namespace

std::unique_ptr<Calibrator> make_calibrator(ModelOptions options) {
  load_devices();
  options.precision = "fp32";
  return translating_exceptions([&] { return std::make_unique<NetCalibrator>(options); });
}

std::unique_ptr<Model> load_model(const ModelOptions& options) {
  load_devices();
  return translating_exceptions([&]() -> std::unique_ptr<Model> {
    const std::vector<std::string> devices = split(options.device);
    if (devices.size() < 2) return std::make_unique<NetModel>(options);
    require(std::set<std::string>(devices.begin(), devices.end()).size() == devices.size(),
            ErrorCode::kArgument, "device: expected each one once, got '{}'", options.device);
    std::vector<std::unique_ptr<Model>> models;
    for (const std::string& device : devices) {
      ModelOptions here = options;
      here.device = device;
      models.push_back(std::make_unique<NetModel>(here));
    }
    return spread(std::move(models));
  });
}

}  // namespace caffe2rt

extern "C" caffe2rt::Model* caffe2rt_load_model(const caffe2rt::ModelOptions& options) {
  return caffe2rt::load_model(options).release();
}
