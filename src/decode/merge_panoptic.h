// Panoptic maps of what a model saw; geometry/merge_panoptic.h makes them.
#pragma once

#include "decode/detections.h"
#include "geometry/merge_panoptic.h"

namespace caffe2rt {

// Sets `panoptic` and `segments`. REQUIRES: detections has a semantic map of classes from 0 on, and its
// objects are sorted, best score first.
void merge_panoptic(const MergeRules& rules, Detections& detections);

// Describes the segments of a panoptic map that was merged elsewhere: `things` are those of the objects, 0
// for none, `stuff_areas` the pixels of each class that no thing covers.
void describe_segments(std::span<const std::int32_t> things, std::span<const std::int64_t> stuff_areas,
                       const MergeRules& rules, Detections& detections);

}  // namespace caffe2rt
