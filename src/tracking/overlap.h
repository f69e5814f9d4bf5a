// How much of two objects is the same part of the frame.
#pragma once

#include <span>

#include "decode/detections.h"

namespace caffe2rt {

// Intersection over union of two boxes; 0 where it is not a number.
double box_overlap(const Box& a, const Box& b);

// Of the rotated boxes where both objects have one, else of the upright ones.
double box_overlap(const Object& a, const Object& b);

// Of soft masks of `size` x `size` probabilities (row-major) that stretch over the boxes, cut at one half:
// each cell of one is looked up in the other, and the mean of both directions taken. 0 where both are empty.
double mask_overlap(const Box& a, std::span<const float> mask_a, const Box& b, std::span<const float> mask_b,
                    int size);

}  // namespace caffe2rt
