// A libcaffe2rt.so for tests of the elements alone: a model that sees the same two objects in every frame.
// The predict net's name says how it differs from that:
//   slow-N           takes N ms a batch
//   nameless         has no labels
//   small-N          has no memory for more than N frames a batch
//   fails-on-frames  throws
//   blind            sees nothing
//   whole            sees a car as large as the frame
//   rotated          sees a car turned by 30 degrees in its middle
//   classes          names class 1 for each frame
//   panoptic         has two segments besides
// The number of frames that were looked at together is told as output "batch" of output=raw.
#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "kernels/unpack_pixels.h"
#include "model/model.h"

namespace caffe2rt {
namespace {

class FakeModel final : public Model {
 public:
  explicit FakeModel(const ModelOptions& options) : fails_(options.predict_net == "fails-on-frames") {
    if (options.predict_net.starts_with("slow-"))
      took_ = std::chrono::milliseconds(std::stoi(options.predict_net.substr(5)));
    if (options.predict_net.starts_with("small-")) most_ = std::stoul(options.predict_net.substr(6));
    if (options.predict_net == "missing") fail(ErrorCode::kNotFound, "missing: no such file");
    if (options.predict_net == "broken") fail(ErrorCode::kFormat, "broken: expected a NetDef");
    if (options.predict_net == "unknown") fail(ErrorCode::kUnsupported, "unknown operators: Foo (2)");
    info_.name = options.predict_net;
    if (options.predict_net != "nameless")
      info_.labels = std::make_shared<const std::vector<std::string>>(
          std::vector<std::string>{"person", "bicycle", "car"});
    defaults_.output = options.output;
    defaults_.threshold = 0.3F;
  }

  const ModelInfo& info() const override { return info_; }
  const DetectOptions& defaults() const override { return defaults_; }

  std::vector<std::shared_ptr<const Detections>> detect(std::span<const FrameView> frames,
                                                        const DetectOptions& options) const override {
    if (fails_) fail(ErrorCode::kShape, "expected another frame");
    require(frames.size() <= most_, ErrorCode::kMemory, "out of memory");
    if (took_.count() > 0) std::this_thread::sleep_for(took_);
    std::vector<std::shared_ptr<const Detections>> all;
    for (const FrameView& frame : frames) {
      auto seen = see(frame, options);
      if (options.output == Output::kRaw)
        seen->raw.push_back({"batch", {1}, {static_cast<float>(frames.size())}});
      if (info_.name == "blind") seen->objects.clear();
      if (info_.name == "whole") seen->objects[0].box = {0, 0, 1.0F * frame.width, 1.0F * frame.height};
      if (info_.name == "rotated")
        seen->objects[0].rotated = RotatedBox{frame.width / 2.0F, frame.height / 2.0F, 40, 20, 30};
      if (info_.name == "panoptic") add_segments(*seen);
      if (info_.name == "classes") seen->classes = {{1, 0.75F}};
      all.push_back(std::move(seen));
    }
    return all;
  }

 private:
  // A car from a quarter to half of the frame, surely, and a person in the top left corner's eighth, perhaps.
  std::shared_ptr<Detections> see(const FrameView& frame, const DetectOptions& options) const {
    const float w = static_cast<float>(frame.width), h = static_cast<float>(frame.height);
    auto seen = std::make_shared<Detections>();
    seen->width = frame.width;
    seen->height = frame.height;
    seen->labels = info_.labels;
    seen->objects = {{{w / 4, h / 4, w / 2, h / 2}, {}, 0.9F, 2, {{w / 4, h / 2, 1}}},
                     {{0, 0, w / 8, h / 8}, {}, 0.4F, 0, {}}};
    std::erase_if(seen->objects, [&](const Object& o) { return o.score < options.threshold_of(o.class_id); });
    if (options.max_detections >= 0 && seen->objects.size() > static_cast<size_t>(options.max_detections))
      seen->objects.resize(options.max_detections);
    if (options.output != Output::kBoxes)
      seen->masks = {2, std::vector<float>(seen->objects.size() * 4, 1.0F)};
    if (options.output == Output::kRaw) seen->raw = {pixels_of(frame)};
    return seen;
  }

  // A person above nothing but the frame's last row, which is of stuff 3.
  static void add_segments(Detections& seen) {
    LabelMap map{seen.width, seen.height, std::vector<std::int32_t>(seen.width * seen.height)};
    std::fill(map.ids.end() - seen.width, map.ids.end(), 2);
    seen.panoptic = std::move(map);
    seen.segments = {{.id = 1, .is_thing = true, .category_id = 0}, {.id = 2, .category_id = 3}};
  }

  // The frame itself as blue, green, red.
  static RawTensor pixels_of(const FrameView& frame) {
    RawTensor pixels{"pixels", {frame.height, frame.width, 3}, {}};
    std::vector<std::uint8_t> row(unpacked_row_size(frame.width));
    for (int y = 0; y < frame.height; y++) {
      unpack_row(frame, y, false, row.data());
      for (int x = 0; x < frame.width; x++)
        for (int c = 0; c < 3; c++) pixels.values.push_back(row[x * 4 + c]);
    }
    return pixels;
  }

  const bool fails_;
  std::chrono::milliseconds took_{0};
  size_t most_ = std::numeric_limits<size_t>::max();
  ModelInfo info_;
  DetectOptions defaults_;
};

}  // namespace
}  // namespace caffe2rt

extern "C" caffe2rt::Model* caffe2rt_load_model(const caffe2rt::ModelOptions& options) {
  return new caffe2rt::FakeModel(options);
}
