// The arguments of GenerateProposals, on every device.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/box_args.h"
#include "runtime/operator.h"

namespace caffe2rt {

class ProposalArgs {
 public:
  enum Input { kScores, kDeltas, kImInfo, kAnchors, kData };

  // Throws Error(kArgument).
  explicit ProposalArgs(const OperatorArgs& args)
      : coder(read_box_coder(args)),
        pre_nms(args.get("pre_nms_topN", 6000)),
        post_nms(args.get("post_nms_topN", 300)),
        nms_threshold(args.get("nms_thresh", 0.7F)),
        min_size(args.get("min_size", 16.0F)),
        score_threshold(args.get("score_thresh", -std::numeric_limits<float>::infinity())),
        stride_(1 / args.get("spatial_scale", 1.0F / 16)),
        strides_of_data_(args.num_inputs() > kData) {
    require(std::isfinite(stride_) && stride_ > 0, ErrorCode::kArgument,
            "argument 'spatial_scale': expected a positive number, got {}", 1 / stride_);
  }

  // Throws Error(kShape) where the inputs do not fit together.
  void check(const Inputs& in) const {
    require_rank(in, kScores, 4);
    require_rank(in, kAnchors, 2);
    const at::Tensor& scores = in[kScores];
    const std::int64_t images = scores.size(0), anchors = in[kAnchors].size(0),
                       box_size = in[kAnchors].size(1);
    check_box_size(box_size);
    require_shape(in, kScores, {images, anchors, kUnknown, kUnknown});
    require_shape(in, kDeltas, {images, anchors * box_size, scores.size(2), scores.size(3)});
    require_shape(in, kImInfo, {images, 3});
    if (strides_of_data_) require_shape(in, kData, {images, kUnknown, kUnknown, kUnknown});
  }

  static void check_box_size(std::int64_t box_size) {
    require(box_size == Box::kSize || box_size == RotatedBox::kSize, ErrorCode::kShape,
            "input 3 'anchors': expected 4 columns, or 5 for rotated boxes, got {}", box_size);
  }

  struct Strides {
    float x, y;  // pixels of the input from one place to the next
  };
  Strides strides(const Inputs& in) const {
    if (!strides_of_data_) return {stride_, stride_};
    const auto stride = [&](std::int64_t axis) {
      const std::int64_t pixels = in[kData].size(axis) / std::max<std::int64_t>(1, in[kScores].size(axis));
      return static_cast<float>(pixels);
    };
    return {stride(3), stride(2)};
  }

  const BoxCoder coder;
  const int pre_nms, post_nms;  // 0 or less: all
  const float nms_threshold, min_size, score_threshold;

 private:
  const float stride_;  // pixels of the input from one cell of the feature map to the next
  const bool strides_of_data_;
};

}  // namespace caffe2rt
