// Makes one panoptic map of objects with masks and a semantic map: things on top, best score first, stuff in
// what remains. Source: combine_semantic_and_instance_outputs in
// detectron2/modeling/meta_arch/panoptic_fpn.py.
#pragma once

#include <cstdint>

#include "decode/detections.h"

namespace caffe2rt {

struct MergeOptions {
  float overlap_threshold = 0.5F;  // objects that others cover by a larger share are left out
  std::int64_t stuff_area = 4096;  // smaller stuff is left out, pixels
  float object_threshold = 0.5F;   // objects of lower score are left out
};

// Sets `panoptic` and `segments`. REQUIRES: detections has a semantic map of classes from 0 on, and its
// objects are sorted, best score first.
void merge_panoptic(const MergeOptions& options, Detections& detections);

}  // namespace caffe2rt
