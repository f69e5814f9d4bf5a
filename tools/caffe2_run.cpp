// caffe2_run: runs a net on the arrays of an .npz file and writes what comes out to another.
#include <ATen/Parallel.h>

#include <charconv>

#include "decode/decoder.h"
#include "decode/predictions.h"
#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"
#include "runtime/npz.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  std::string predict_net, init_net, inputs, outputs;
  std::string original_size;  // HxW
  std::string device = "cpu", precision = "auto";
  std::vector<std::string> blobs, without_passes, on_host;
  bool formatted = false;
  int threads = 0;
};

// Arrays of the .npz that are inputs: all but the results that a recorded case keeps beside them.
Blobs read_feeds(const std::string& file) {
  Blobs feeds;
  for (const auto& [name, value] : read_npz(file)) {
    if (name.starts_with("out/") || name.starts_with("torch/") || name.starts_with("caffe2/")) continue;
    feeds[name] = value.scalar_type() == at::kByte ? value.to(at::kFloat) : value;
  }
  return feeds;
}

// "432x768": height and width.
FrameSize parse_size(const std::string& text) {
  FrameSize size;
  const char* const end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.height);
  const bool cross = height.ptr != end && *height.ptr == 'x';
  const auto width = std::from_chars(cross ? height.ptr + 1 : end, end, size.width);
  const bool read = height.ec == std::errc() && width.ec == std::errc() && width.ptr == end;
  require(read && size.height > 0 && size.width > 0, ErrorCode::kArgument,
          "--original-size: expected HEIGHTxWIDTH, got '{}'", text);
  return size;
}

// The size of the one image in `data`, without padding.
FrameSize image_size(const Blobs& feeds) {
  const auto info = feeds.find("im_info");
  if (info != feeds.end() && info->second.numel() == 3) {
    const at::Tensor numbers = info->second.to(at::kFloat).contiguous();
    const float* values = numbers.const_data_ptr<float>();
    return {static_cast<int>(values[0]), static_cast<int>(values[1])};
  }
  const auto data = feeds.find("data");
  require(data != feeds.end() && data->second.dim() == 4 && data->second.size(0) == 1, ErrorCode::kArgument,
          "--formatted: expected one image in 'data' and its size in 'im_info'");
  return {static_cast<int>(data->second.size(2)), static_cast<int>(data->second.size(3))};
}

void run(const Flags& flags) {
  const c10::Device device = parse_device(flags.device);
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  const Blobs feeds = read_feeds(flags.inputs);
  Blobs weights = flags.init_net == "-" ? Blobs() : read_weights(flags.init_net);
  const NetDef predict_net = read_net(flags.predict_net);
  const auto decoder = flags.formatted ? make_decoder(predict_net) : nullptr;

  CompileOptions options;
  options.device = device;
  options.on_host = {flags.on_host.begin(), flags.on_host.end()};
  options.precision = parse_precision(flags.precision);
  options.calibration = calibration_for(options.precision, flags.predict_net);
  options.without_passes = parse_passes(flags.without_passes);
  for (const auto& feed : feeds) options.graph.feeds.push_back(feed.first);
  const bool all = flags.blobs == std::vector<std::string>{"all"};
  options.graph.keep_all = all;
  if (!all) options.graph.keep = decoder ? decoder->blobs_needed() : flags.blobs;
  const auto net = CompiledNet::compile(predict_net, std::move(weights), options);

  Workspace workspace;
  const Blobs results = net.run(feeds, workspace);
  NamedTensors written;
  if (decoder) {
    const FrameSize input = image_size(feeds);
    const ImageSizes sizes{input, flags.original_size.empty() ? input : parse_size(flags.original_size)};
    written = predictions(decoder->decode(results, {&sizes, 1}).front());
  } else {
    for (const auto& [name, value] : results)
      if (flags.blobs.empty() || all || std::count(flags.blobs.begin(), flags.blobs.end(), name) > 0)
        written[name] = value;
  }
  write_npz(flags.outputs, written);
  for (const auto& [name, value] : written)
    fmt::print("{} {} {}\n", name, c10::toString(value.scalar_type()),
               to_string(std::span(value.sizes().data(), value.sizes().size())));
}

void add_options(CLI::App& app, Flags& flags) {
  add_net_flags(app, flags.predict_net, flags.init_net);
  app.add_option("--inputs", flags.inputs, "One array a blob to feed: data, im_info, ... (.npz)")->required();
  app.add_option("--outputs", flags.outputs, "Where to write the results (.npz)")->required();
  app.add_option("--blobs", flags.blobs, "Blobs to write, or 'all'; default: the net's external outputs")
      ->delimiter(',');
  app.add_flag("--formatted", flags.formatted,
               "Write predictions instead of blobs: boxes, scores, classes, masks, keypoints, "
               "sem_seg_argmax, panoptic")
      ->excludes("--blobs");
  app.add_option("--original-size", flags.original_size,
                 "HxW of the picture that predictions are for; default: the net's input");
  app.add_option("--device", flags.device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  app.add_option("--precision", flags.precision,
                 "auto, fp32, fp16 (GPU), bf16 or int8 (CPU; see caffe2_calibrate)")
      ->capture_default_str();
  add_passes_flag(app, flags.without_passes);
  add_on_host_flag(app, flags.on_host);
  app.add_option("--threads", flags.threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>("caffe2_run",
                                             "Runs a Caffe2 net on blobs from an .npz file (uint8 arrays are "
                                             "fed as float32) and writes its outputs.",
                                             argc, argv, caffe2rt::add_options, caffe2rt::run);
}
