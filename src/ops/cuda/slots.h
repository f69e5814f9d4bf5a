// Slots: regions of which each image has a fixed number, so that a GPU need not be asked how many there are.
// Rows of a blob of regions are the slots of the first image, then those of the next; an image's filled ones
// come first. Where a row begins with the number of an image, that of an empty slot is -1. The pass use_slots
// sets the argument.
#pragma once

#include "runtime/operator_args.h"

namespace caffe2rt::cuda {

// Whether an operator reads and writes slots.
inline bool has_slots(const OperatorArgs& args) { return args.get("caffe2rt.slots", false); }

}  // namespace caffe2rt::cuda
