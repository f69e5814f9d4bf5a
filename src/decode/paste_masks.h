// Makes pixels of the masks that a model saw.
#pragma once

#include "decode/detections.h"
#include "geometry/paste_mask.h"

namespace caffe2rt {

// Pastes the mask of object `index` in the way that the masks ask for, scaled with its box to a frame of
// `width` x `height` pixels. A pixel is 255 where the interpolated probability is at least `threshold`.
// Throws Error(kArgument) where there is no such object or no masks.
PastedMask paste_mask(const Detections& detections, int index, float threshold = 0.5F);

}  // namespace caffe2rt
