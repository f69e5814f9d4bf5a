// What may be asked of a detection from one frame to the next.
#pragma once

namespace caffe2rt {

// What a detection carries beyond boxes, scores and classes.
enum class Output {
  kBoxes,  // boxes, scores, classes, keypoints
  kMasks,  // and soft masks, semantic and panoptic maps, where the model has them
  kRaw,    // and every output of the net as it came
};

struct DetectOptions {
  float threshold = 0;      // 0..1
  int max_detections = -1;  // negative: all
  Output output = Output::kMasks;
};

}  // namespace caffe2rt
