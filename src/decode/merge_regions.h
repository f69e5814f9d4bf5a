// Puts together what a model saw in parts of a frame.
#pragma once

#include <memory>
#include <span>

#include "decode/detections.h"

namespace caffe2rt {

// `seen[i]` is what was seen in `regions[i]`, in its own pixels; the result is in pixels of the frame, with
// the regions, best objects first. Maps of a later region go over those of an earlier one; output T of region
// i is called "i:T". REQUIRES: as many of each, and all seen by one model.
Detections merge_regions(std::span<const std::shared_ptr<const Detections>> seen,
                         std::span<const Region> regions, const FrameSize& frame);

// Drops what was seen twice where regions overlap: of objects of a class from different regions, that of the
// lower score where their IoU is above `threshold`. An object that a region's border inside the frame cuts
// off gives way to any other that covers more than `threshold` of it. Masks and panoptic segments follow.
void suppress_across_regions(Detections& detections, float threshold = 0.5F);

}  // namespace caffe2rt
