// Detections as they lie in a frame that was scaled (or otherwise mapped) after they were found. `map` leads
// from pixels of the frame then to pixels of the frame now, whose size is `width` x `height`.
#pragma once

#include <array>

#include "decode/detections.h"
#include "decode/paste_masks.h"
#include "frame/affine.h"

namespace caffe2rt {

// The upright box around what the map makes of `box`.
Box map_box(const Box& box, const Affine& map);

// The rotated box of the mapped centre and side lengths, with the direction of its mapped height, as
// detectron2's RotatedBoxes.scale: exact where both axes scale alike, else the nearest rectangle of a
// parallelogram.
RotatedBox map_box(const RotatedBox& box, const Affine& map);

// The four corners of the object's box, or of its rotated box where it has one, in order around it.
std::array<Point, 4> map_corners(const Object& object, const Affine& map);

// The mask of object `index` in the frame now. Throws Error(kArgument) where there is none.
PastedMask paste_mapped_mask(const Detections& detections, int index, const Affine& map, int width,
                             int height, float threshold = 0.5F);

// The nearest label for each pixel of the frame now; 0 where that lay outside the frame then.
LabelMap map_labels(const LabelMap& labels, const Affine& map, int width, int height);

}  // namespace caffe2rt
