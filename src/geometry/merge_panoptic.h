// Makes one panoptic map of objects with masks and a map of classes: things on top, best score first, stuff
// in what remains. Source: combine_semantic_and_instance_outputs in
// detectron2/modeling/meta_arch/panoptic_fpn.py.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/paste_mask.h"

namespace caffe2rt {

struct MergeRules {
  float overlap_threshold = 0.5F;  // objects that others cover by a larger share are left out
  std::int64_t stuff_area = 4096;  // smaller stuff is left out, pixels
  float object_threshold = 0.5F;   // objects of lower score are left out
};

struct PanopticThing {
  Box box;  // pixels of the frame
  SoftMask mask;
};

struct MergedPanoptic {
  std::vector<std::int32_t> things;       // segment of each thing, from 1; 0: left out
  std::vector<std::int64_t> stuff_areas;  // of each class, pixels that no thing covers
};

// The segments of stuff, by class: numbered on from `things` segments, where a class has as many pixels as
// the rules want, and any. Class 0 stands for all things and is none.
std::vector<std::int32_t> number_stuff(std::span<const std::int64_t> areas, std::int64_t least_area,
                                       std::int32_t things);

// Writes the segment of each pixel of a frame, 0 for none, to `map`: things, then what number_stuff() leaves.
// `things`: those of sufficient score, best first. `labels`: classes of the pixels, below `classes`.
// REQUIRES: labels and map are as large as the frame.
MergedPanoptic merge_panoptic(std::span<const PanopticThing> things, std::span<const std::int32_t> labels,
                              std::int64_t classes, FrameSize frame, const MergeRules& rules,
                              std::span<std::int32_t> map);

}  // namespace caffe2rt
