// The arguments of BoxWithNMSLimit, and which columns of its inputs belong to a class, on every device.
#pragma once

#include "geometry/suppress.h"
#include "ops/box_args.h"
#include "runtime/operator.h"

namespace caffe2rt {

class BoxLimitArgs {
 public:
  enum Input { kScores, kBoxes, kBatchSplits };
  enum Output { kOutScores, kOutBoxes, kOutClasses, kOutBatchSplits, kOutKeeps, kOutKeepsSize };

  explicit BoxLimitArgs(const OperatorArgs& args)
      : score_threshold(args.get("score_thresh", 0.05F)),
        nms_threshold(args.get("nms", 0.3F)),
        most(args.get("detections_per_im", 100)),
        soft(args.get("soft_nms_enabled", false)),
        soft_nms(read_soft_nms(args)),
        box_size(args.get("rotated", false) ? RotatedBox::kSize : Box::kSize),
        class_agnostic(args.get("cls_agnostic_bbox_reg", false)),
        output_counts_background(args.get("output_classes_include_bg_cls", true)),
        one(read_one(args)),
        input_has_background_(args.get("input_boxes_include_bg_cls", true)) {}

  // Class c, counted with the background as 0, is column c, or c - 1 where the inputs leave the background
  // out. There the scores may still end in a column for it, which is not read.
  std::int64_t score_column(std::int64_t c) const { return input_has_background_ ? c : c - 1; }
  std::int64_t box_column(std::int64_t c) const { return class_agnostic ? 0 : score_column(c); }

  // Scores (R,K) and boxes (R,box_size*columns), contiguous. Throws Error(kShape).
  struct Matrices {
    at::Tensor scores, boxes;
  };
  Matrices read(const Inputs& in) const {
    Matrices m{matrix(in, kScores), matrix(in, kBoxes)};
    const std::int64_t rows = m.scores.size(0), classes = m.scores.size(1);
    require(classes > 0, ErrorCode::kShape, "{}: no classes", in.describe(kScores));
    const std::int64_t expected = (box_column(classes - 1) + 1) * box_size;
    require(m.boxes.size(0) == rows && m.boxes.size(1) == expected, ErrorCode::kShape,
            "{}: expected ({},{}), got ({},{})", in.describe(kBoxes), rows, expected, m.boxes.size(0),
            m.boxes.size(1));
    return m;
  }

  // How many rows each image has. Throws Error(kArgument).
  static std::vector<std::int64_t> read_splits(const Inputs& in, std::int64_t rows) {
    if (!in.has(kBatchSplits)) return {rows};
    require_rank(in, kBatchSplits, 1);
    const at::Tensor splits = in[kBatchSplits].cpu().contiguous();
    std::vector<std::int64_t> counts;
    std::int64_t total = 0;
    for (const float s : std::span(splits.data_ptr<float>(), static_cast<size_t>(splits.numel()))) {
      require(s >= 0 && s <= static_cast<float>(rows), ErrorCode::kArgument,
              "{}: an image of {} boxes, of {} in all", in.describe(kBatchSplits), s, rows);
      counts.push_back(static_cast<std::int64_t>(s));
      total += counts.back();
    }
    require(total == rows, ErrorCode::kArgument, "{}: expected a sum of {}, got {}",
            in.describe(kBatchSplits), rows, total);
    return counts;
  }

  const float score_threshold, nms_threshold;
  const int most;  // detections an image; 0 or less: any number
  const bool soft;
  const SoftNms soft_nms;
  const std::int64_t box_size;
  const bool class_agnostic, output_counts_background;
  const float one;

 private:
  static SoftNms read_soft_nms(const OperatorArgs& args) {
    SoftNms how;
    const std::string method = args.get("soft_nms_method", "linear");
    require(method == "linear" || method == "gaussian", ErrorCode::kArgument,
            "argument 'soft_nms_method': expected linear or gaussian, got '{}'", method);
    how.method = method == "linear" ? SoftNms::Method::kLinear : SoftNms::Method::kGaussian;
    how.threshold = args.get("nms", 0.3F);
    how.sigma = args.get("soft_nms_sigma", 0.5F);
    how.min_score = args.get("soft_nms_min_score_thres", 0.001F);
    return how;
  }

  // (R,K), or (R,K,1,1) as a convolution leaves it.
  static at::Tensor matrix(const Inputs& in, size_t i) {
    if (in[i].dim() == 4) {
      require_shape(in, i, {kUnknown, kUnknown, 1, 1});
      return in[i].squeeze(3).squeeze(2).contiguous();
    }
    require_rank(in, i, 2);
    return in[i].contiguous();
  }

  const bool input_has_background_;
};

}  // namespace caffe2rt
