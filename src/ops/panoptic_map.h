// caffe2rt.PanopticMap's arguments and checks, shared with the one on a GPU.
#pragma once

#include <vector>

#include "frame/image_sizes.h"
#include "geometry/merge_panoptic.h"
#include "ops/detection_limits.h"
#include "runtime/operator.h"

namespace caffe2rt {

struct PanopticArgs {
  enum Input { kLabels, kLogits, kBoxes, kScores, kClasses, kMasks, kSizes, kLimits, kSplits };
  enum Output { kMap, kThings, kStuffAreas };

  explicit PanopticArgs(const OperatorArgs& args);

  // The sizes of the images, and that all inputs fit them and each other. Throws Error(kShape).
  static std::vector<ImageSizes> check(const Inputs& in);

  MergeRules rules;
  MaskPasting pasting = MaskPasting::kSubpixel;
  int background = 0;  // 1 where class 0 of the detections is the background
};

}  // namespace caffe2rt
