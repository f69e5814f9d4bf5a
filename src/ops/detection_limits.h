// What is asked of a net's detections, as numbers that an operator reads: DetectOptions (decode) as a blob,
// for processors of all kinds.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace caffe2rt {

struct DetectionLimits {
  enum { kThreshold, kMost, kClassThresholds };  // places in the blob; a threshold of each class comes last

  const float* numbers = nullptr;
  std::int64_t count = 0;  // at least kClassThresholds

  CAFFE2RT_HD float threshold_of(int class_id) const {
    const std::int64_t at = kClassThresholds + class_id;
    return class_id >= 0 && at < count && numbers[at] >= 0 ? numbers[at] : numbers[kThreshold];
  }
  // Whether there may be one more beside so many; a negative number asks for all.
  CAFFE2RT_HD bool allow_more(std::int64_t detections) const {
    return numbers[kMost] < 0 || static_cast<float>(detections) < numbers[kMost];
  }
};

}  // namespace caffe2rt
