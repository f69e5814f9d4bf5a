// caffe2_run: runs a net on the arrays of an .npz file and writes what comes out to another.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "decode/decoder.h"
#include "decode/paste_masks.h"
#include "runtime/compiled_net.h"
#include "runtime/npz.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  std::string predict_net, init_net, inputs, outputs;
  std::string original_size;  // HxW
  std::vector<std::string> blobs;
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
  char end = 0;
  const bool two = std::sscanf(text.c_str(), "%dx%d%c", &size.height, &size.width, &end) == 2;
  require(two && size.height > 0 && size.width > 0, ErrorCode::kArgument,
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

// (R,H,W) bool: every object's mask in pixels of the frame.
at::Tensor pasted_masks(const Detections& seen) {
  const auto count = static_cast<std::int64_t>(seen.objects.size());
  const std::array<std::int64_t, 3> shape = {count, seen.height, seen.width};
  at::Tensor masks = at::zeros(shape, at::kBool);
  for (std::int64_t i = 0; i < count; i++) {
    const PastedMask mask = paste_mask(seen, static_cast<int>(i));
    for (int y = 0; y < mask.height; y++) {
      bool* row = masks.mutable_data_ptr<bool>() + (i * seen.height + mask.y + y) * seen.width + mask.x;
      for (int x = 0; x < mask.width; x++) row[x] = mask.pixels[static_cast<size_t>(y) * mask.width + x] != 0;
    }
  }
  return masks;
}

template <class T>
at::Tensor to_tensor(const std::vector<T>& values, std::vector<std::int64_t> shape, at::ScalarType type) {
  at::Tensor tensor = at::empty(shape, type);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<T>());
  return tensor;
}

at::Tensor to_tensor(const LabelMap& map) { return to_tensor(map.ids, {map.height, map.width}, at::kInt); }

// What was seen by detectron2's names: boxes (R,4), or (R,5) rotated, scores (R), classes (R), and where the
// model has them masks (R,H,W), keypoints (R,K,3), sem_seg_argmax (H,W), panoptic (H,W).
NamedTensors format(const Detections& seen) {
  const auto count = static_cast<std::int64_t>(seen.objects.size());
  std::vector<float> boxes, scores, keypoints;
  std::vector<std::int64_t> classes;
  const bool rotated = count > 0 && seen.objects.front().rotated.has_value();
  for (const Object& object : seen.objects) {
    const Box& b = object.box;
    if (const auto& r = object.rotated)
      boxes.insert(boxes.end(), {r->cx, r->cy, r->width, r->height, r->angle});
    else
      boxes.insert(boxes.end(), {b.x1, b.y1, b.x2, b.y2});
    scores.push_back(object.score);
    classes.push_back(object.class_id);
    for (const Keypoint& k : object.keypoints) keypoints.insert(keypoints.end(), {k.x, k.y, k.score});
  }
  NamedTensors formatted = {{"boxes", to_tensor(boxes, {count, rotated ? 5 : 4}, at::kFloat)},
                            {"scores", to_tensor(scores, {count}, at::kFloat)},
                            {"classes", to_tensor(classes, {count}, at::kLong)}};
  if (seen.masks.size > 0) formatted["masks"] = pasted_masks(seen);
  if (!keypoints.empty())
    formatted["keypoints"] =
        to_tensor(keypoints, {count, static_cast<std::int64_t>(keypoints.size()) / 3 / count, 3}, at::kFloat);
  if (seen.semantic) formatted["sem_seg_argmax"] = to_tensor(*seen.semantic);
  if (seen.panoptic) formatted["panoptic"] = to_tensor(*seen.panoptic);
  return formatted;
}

void run(const Flags& flags) {
  if (flags.threads > 0) at::set_num_threads(flags.threads);
  const Blobs feeds = read_feeds(flags.inputs);
  const Blobs weights = flags.init_net == "-" ? Blobs() : run_init_net(read_net(flags.init_net));
  const NetDef predict_net = read_net(flags.predict_net);
  const auto decoder = flags.formatted ? make_decoder(predict_net) : nullptr;

  CompileOptions options;
  for (const auto& feed : feeds) options.graph.feeds.push_back(feed.first);
  const bool all = flags.blobs == std::vector<std::string>{"all"};
  options.graph.keep_all = all;
  if (!all) options.graph.keep = decoder ? decoder->blobs_needed() : flags.blobs;
  const auto net = CompiledNet::compile(predict_net, weights, options);

  Workspace workspace;
  const Blobs results = net.run(feeds, workspace);
  NamedTensors written;
  if (decoder) {
    const FrameSize input = image_size(feeds);
    const ImageSizes sizes{input, flags.original_size.empty() ? input : parse_size(flags.original_size)};
    written = format(decoder->decode(results, {&sizes, 1}).front());
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

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  CLI::App app(
      "Runs a Caffe2 net on blobs from an .npz file (uint8 arrays are fed as float32) and writes its "
      "outputs.",
      "caffe2_run");
  caffe2rt::Flags flags;
  caffe2rt::add_net_flags(app, flags.predict_net, flags.init_net);
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
  app.add_option("--threads", flags.threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
  return caffe2rt::run_tool(app, argc, argv, [&] { caffe2rt::run(flags); });
}
