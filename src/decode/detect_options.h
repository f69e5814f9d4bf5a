// What may be asked of a detection from one frame to the next.
#pragma once

#include <cstddef>
#include <vector>

namespace caffe2rt {

// What a detection carries beyond boxes, scores and classes.
enum class Output {
  kBoxes,  // boxes, scores, classes, keypoints
  kMasks,  // and soft masks, semantic and panoptic maps, where the model has them
  kRaw,    // and every output of the net as it came; of a model that was loaded for less, the masks of the
           // predicted classes alone
};

struct DetectOptions {
  float threshold = 0;                  // 0..1
  std::vector<float> class_thresholds;  // by class id; where negative or missing: `threshold`
  int max_detections = -1;              // negative: all
  Output output = Output::kMasks;

  float threshold_of(int class_id) const {
    const auto at = static_cast<std::size_t>(class_id);
    const bool own = class_id >= 0 && at < class_thresholds.size() && class_thresholds[at] >= 0;
    return own ? class_thresholds[at] : threshold;
  }

  bool operator==(const DetectOptions&) const = default;
};

}  // namespace caffe2rt
