// caffe2_mask_rcnn: what a model sees in one picture. Named and called as detectron2's C++ example, for every
// meta architecture.
#include <opencv2/imgcodecs.hpp>

#include "model/model.h"
#include "overlay/overlay.h"
#include "tool.h"

namespace caffe2rt {
namespace {

struct Flags {
  ModelOptions model;
  std::string input, output;
};

void print(const Detections& seen) {
  fmt::print("{} objects in {}x{} pixels\n", seen.objects.size(), seen.width, seen.height);
  for (const Object& object : seen.objects) {
    fmt::print("  {:20} {:.3f}  box {:.1f} {:.1f} {:.1f} {:.1f}", seen.label(object.class_id), object.score,
               object.box.x1, object.box.y1, object.box.x2, object.box.y2);
    if (object.rotated)
      fmt::print("  rotated {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", object.rotated->cx, object.rotated->cy,
                 object.rotated->width, object.rotated->height, object.rotated->angle);
    if (!object.keypoints.empty()) fmt::print("  {} keypoints", object.keypoints.size());
    fmt::print("\n");
  }
  for (const PanopticSegment& segment : seen.segments)
    fmt::print("  segment {} {} category {}\n", segment.id, segment.is_thing ? "thing" : "stuff",
               segment.category_id);
  for (const ClassScore& c : seen.classes) fmt::print("  {:20} {:.3f}\n", seen.label(c.class_id), c.score);
  for (const RawTensor& raw : seen.raw)
    fmt::print("  output {} with {} values\n", raw.name, raw.values.size());
}

void draw(const Detections& seen, cv::Mat& image) {
  Overlay overlay;
  overlay.begin(image.cols, image.rows, {});
  overlay.draw(seen);
  blend(overlay.pieces(), image.data, static_cast<std::ptrdiff_t>(image.step[0]));
}

void look(const Flags& flags) {
  cv::Mat image = cv::imread(flags.input, cv::IMREAD_COLOR);
  require(!image.empty(), ErrorCode::kIo, "{}: cannot be read as an image", flags.input);
  const auto model = load_model(flags.model);
  const FrameView frame{.format = PixelFormat::kBgr,
                        .width = image.cols,
                        .height = image.rows,
                        .stride = static_cast<std::ptrdiff_t>(image.step[0]),
                        .data = image.data};
  const auto seen = model->detect({&frame, 1}, model->defaults()).front();
  print(*seen);
  if (flags.output.empty()) return;
  draw(*seen, image);
  require(cv::haveImageWriter(flags.output) && cv::imwrite(flags.output, image), ErrorCode::kIo,
          "{}: cannot be written as an image", flags.output);
}

void add_options(CLI::App& app, Flags& flags) {
  add_net_flags(app, flags.model.predict_net, flags.model.init_net);
  app.add_option("--input", flags.input, "Picture: JPEG, PNG, ...")->required();
  app.add_option("--output", flags.output, "Where to write the picture with everything drawn on it");
  app.add_option("--device", flags.model.device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  app.add_option("--threads", flags.model.threads, "Threads; 0: all cores")->check(CLI::NonNegativeNumber);
  app.add_option("--min_size,--min-size", flags.model.min_size, "Short side of the net's input, pixels");
  app.add_option("--max_size,--max-size", flags.model.max_size, "Bound on its long side, pixels");
  app.add_option("--input_format,--input-format", flags.model.input_format,
                 "BGR or RGB: what the net was trained on");
  app.add_option("--labels_file,--labels-file", flags.model.labels_file, "Class names, one a line");
  app.add_option("--threshold", flags.model.threshold, "Least score, 0..1; default: all that the net keeps");
}

}  // namespace
}  // namespace caffe2rt

int main(int argc, char** argv) {
  return caffe2rt::run_tool<caffe2rt::Flags>(
      "caffe2_mask_rcnn", "Prints what a detectron2 Caffe2 model sees in a picture, and draws it on request.",
      argc, argv, caffe2rt::add_options, caffe2rt::look);
}
