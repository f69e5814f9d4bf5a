// caffe2rt.PanopticMap: one map of frames' things and stuff, of a net's detections and a map of classes: what
// detectron2 does after the net (combine_semantic_and_instance_outputs in
// detectron2/modeling/meta_arch/panoptic_fpn.py), as an operator, so that a GPU does it where the masks are.
#include "ops/panoptic_map.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

#include "geometry/fit_to_frame.h"
#include "ops/box_args.h"
#include "ops/semantic_labels.h"

namespace caffe2rt {
namespace {

using Args = PanopticArgs;

// The detections of a run.
class Detected {
 public:
  Detected(const Inputs& in, const PanopticArgs& args)
      : args_(args),
        boxes_(in[Args::kBoxes].contiguous()),
        scores_(in[Args::kScores].contiguous()),
        classes_(in[Args::kClasses].contiguous()),
        masks_(in[Args::kMasks].contiguous()),
        limits_(in[Args::kLimits].contiguous()) {}

  struct Thing {
    std::int64_t row;
    float score;
    PanopticThing thing;
  };

  // Those of rows [begin, end) that may become things, best first.
  std::vector<Thing> pick(std::int64_t begin, std::int64_t end, const ImageSizes& sizes) const {
    const FrameScale scale(sizes);
    const DetectionLimits limits{limits_.const_data_ptr<float>(), limits_.numel()};
    std::vector<Thing> picked;
    for (std::int64_t row = begin; row < end; row++) {
      const float score = scores_.const_data_ptr<float>()[row];
      const int class_in_file = static_cast<int>(classes_.const_data_ptr<float>()[row]);
      if (!(score >= limits.threshold_of(class_in_file - args_.background))) continue;
      const auto box = fit_to_frame(read_box<Box>(boxes_.const_data_ptr<float>() + row * Box::kSize), scale);
      if (box) picked.push_back({row, score, {*box, mask_of(row, class_in_file)}});
    }
    std::ranges::stable_sort(picked, std::ranges::greater(), &Thing::score);
    const auto stays = [&](const Thing& thing) {
      return limits.allow_more(&thing - picked.data()) && thing.score >= args_.rules.object_threshold;
    };
    picked.erase(std::ranges::find_if_not(picked, stays), picked.end());
    return picked;
  }

 private:
  SoftMask mask_of(std::int64_t row, int class_in_file) const {
    const std::int64_t channels = masks_.size(1), channel = channels == 1 ? 0 : class_in_file;
    require(channel >= 0 && channel < channels, ErrorCode::kShape,
            "input {} 'masks': expected a mask for class {}, got {} classes", static_cast<int>(Args::kMasks),
            channel, channels);
    const std::int64_t area = masks_.size(2) * masks_.size(3);
    return {masks_.const_data_ptr<float>() + (row * channels + channel) * area,
            static_cast<int>(masks_.size(3)), args_.pasting};
  }

  const PanopticArgs& args_;
  const at::Tensor boxes_, scores_, classes_, masks_, limits_;
};

class PanopticMap final : public Operator {
 public:
  explicit PanopticMap(const OperatorArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto images = Args::check(in);
    const std::int64_t classes = in[Args::kLogits].size(1), rows = in[Args::kBoxes].size(0);
    const at::Tensor labels = in[Args::kLabels].contiguous();
    const auto ints = labels.options();
    const std::array<std::int64_t, 2> stuff_shape = {std::ssize(images), classes};
    out[Args::kMap] = at::empty({labels.numel()}, ints);
    out[Args::kThings] = at::zeros({rows}, ints);
    out[Args::kStuffAreas] = at::empty(stuff_shape, ints);
    auto* things = out[Args::kThings].mutable_data_ptr<std::int32_t>();
    auto* map = out[Args::kMap].mutable_data_ptr<std::int32_t>();
    auto* areas = out[Args::kStuffAreas].mutable_data_ptr<std::int32_t>();
    const auto* label = labels.const_data_ptr<std::int32_t>();
    for (std::int64_t i = 0; i < labels.numel(); i++)
      require(label[i] >= 0 && label[i] < classes, ErrorCode::kShape, "{}: expected 0 to {}, got {}",
              in.describe(Args::kLabels), classes - 1, label[i]);

    const Detected detected(in, args_);
    std::int64_t row = 0;
    for (size_t n = 0; n < images.size(); n++) {
      const std::int64_t end = end_of(in, n, row);
      const auto picked = detected.pick(row, end, images[n]);
      std::vector<PanopticThing> to_merge;
      for (const auto& p : picked) to_merge.push_back(p.thing);
      const size_t pixels = pixels_of({images[n]});
      const MergedPanoptic merged =
          merge_panoptic(to_merge, {label, pixels}, classes, images[n].frame, args_.rules, {map, pixels});
      for (size_t k = 0; k < picked.size(); k++) things[picked[k].row] = merged.things[k];
      areas = std::ranges::transform(merged.stuff_areas, areas, [](std::int64_t area) {
                return static_cast<std::int32_t>(area);
              }).out;
      row = end;
      label += pixels;
      map += pixels;
    }
  }

 private:
  // One past the last row of image n, whose first is `begin`.
  static std::int64_t end_of(const Inputs& in, size_t n, std::int64_t begin) {
    const std::int64_t rows = in[Args::kBoxes].size(0);
    if (!in.has(Args::kSplits)) return rows;
    const at::Tensor splits = in[Args::kSplits].contiguous();
    const float count = splits.const_data_ptr<float>()[n];
    require(count >= 0 && count <= static_cast<float>(rows - begin), ErrorCode::kShape,
            "{}: more rows than the {} of {}", in.describe(Args::kSplits), rows, in.describe(Args::kBoxes));
    return begin + static_cast<std::int64_t>(count);
  }

  const PanopticArgs args_;
};

REGISTER_OPERATOR_AS("caffe2rt.PanopticMap", PanopticMap)
    .says("Makes one map of each frame: its things, the best on top, then classes where none of them is.")
    .input("labels", "(P) int32: the class of each pixel, those of the first frame, then those of the next",
           Types::kIndex)
    .input("logits", "(N,C,H,W) float32 of which the classes were found; only their shape is read")
    .input("boxes", "(R,4) float32: x1, y1, x2, y2 of the detections, pixels of the net's input")
    .input("scores", "(R) float32")
    .input("classes", "(R) float32")
    .input("masks", "(R,C,M,M) or (R,1,M,M) float32: probabilities")
    .host_input("sizes",
                "(N,4) float32: height and width of the image without padding, height and width of the frame")
    .input("limits",
           "(2+K) float32: least score, most detections (negative: all), least score of each class "
           "(negative: as of all)")
    .optional_input("batch_splits",
                    "(N) float32: detections of each image; not given: all are of the only one")
    .output("map", "(P) int32: the segment of each pixel, numbered from 1 in each frame; 0: none",
            infer::same_as(Args::kLabels))
    .output("things", "(R) int32: the segment of each detection; 0: none", infer::fixed({kUnknown}))
    .output("stuff_areas",
            "(N,C) int32: pixels of each class that no thing covers. Those from class 1 on that "
            "have `stuff_area` of them, and any, are the segments after those of things",
            infer::fixed({kUnknown, kUnknown}))
    .arg("overlap_threshold", "a thing that others cover by a larger share is left out, default 0.5")
    .arg("stuff_area", "pixels; smaller stuff is left out, default 4096")
    .arg("object_threshold", "least score of a thing, default 0.5")
    .arg("integer_boxes", "1: masks are pasted as torchvision does; 0 (default): as detectron2")
    .arg("background", "1: class 0 of the detections is the background; default 0")
    .arg("caffe2rt.slots", kSlotsDoc);

}  // namespace

PanopticArgs::PanopticArgs(const OperatorArgs& args)
    : pasting(args.get("integer_boxes", false) ? MaskPasting::kIntegerBoxes : MaskPasting::kSubpixel),
      background(args.get("background", 0)) {
  rules.overlap_threshold = args.get("overlap_threshold", rules.overlap_threshold);
  rules.stuff_area = args.get("stuff_area", rules.stuff_area);
  rules.object_threshold = args.get("object_threshold", rules.object_threshold);
}

std::vector<ImageSizes> PanopticArgs::check(const Inputs& in) {
  const auto images = read_image_sizes(in, kLogits, kSizes);
  require_shape(in, kLabels, {pixels_of(images)});
  require_shape(in, kBoxes, {kUnknown, Box::kSize});
  const std::int64_t rows = in[kBoxes].size(0);
  require_shape(in, kScores, {rows});
  require_shape(in, kClasses, {rows});
  require_shape(in, kMasks, {rows, kUnknown, kUnknown, kUnknown});
  require(in[kMasks].size(1) > 0 && in[kMasks].size(2) > 0 && in[kMasks].size(2) == in[kMasks].size(3),
          ErrorCode::kShape, "{}: expected square masks, got {}x{} of {} classes", in.describe(kMasks),
          in[kMasks].size(2), in[kMasks].size(3), in[kMasks].size(1));
  require_rank(in, kLimits, 1);
  require(in[kLimits].size(0) >= DetectionLimits::kClassThresholds, ErrorCode::kShape,
          "{}: expected at least {} numbers, got {}", in.describe(kLimits),
          static_cast<int>(DetectionLimits::kClassThresholds), in[kLimits].size(0));
  const auto count = static_cast<std::int64_t>(images.size());
  if (in.has(kSplits)) require_shape(in, kSplits, {count});
  require(in.has(kSplits) || count == 1, ErrorCode::kShape,
          "detections of {} images without input {} 'batch_splits'", count, static_cast<int>(kSplits));
  return images;
}

}  // namespace caffe2rt
