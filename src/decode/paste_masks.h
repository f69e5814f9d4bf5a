// Makes pixels of an object's soft mask, as detectron2's or torchvision's paste_masks_in_image do: bilinear
// interpolation of the probabilities stretched over the box, then a threshold. Source:
// detectron2/layers/mask_ops.py, torchvision/models/detection/roi_heads.py.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/detections.h"

namespace caffe2rt {

// The part of a frame that an object's mask can cover, and which pixels it does.
struct PastedMask {
  int x = 0, y = 0, width = 0, height = 0;  // pixels of the frame; lies inside it; may be empty
  std::vector<std::uint8_t> pixels;         // (height,width) row-major, 0 or 255
};

// Pastes the mask of object `index` in the way that the masks ask for, scaled with its box to a frame of
// `width` x `height` pixels. A pixel is 255 where the interpolated probability is at least `threshold`.
// Throws Error(kArgument) where there is no such object or no masks.
PastedMask paste_mask(const Detections& detections, int index, float threshold = 0.5F);

}  // namespace caffe2rt
