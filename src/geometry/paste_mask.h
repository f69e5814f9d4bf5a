// Makes pixels of a soft mask, as detectron2's or torchvision's paste_masks_in_image do: bilinear
// interpolation of the probabilities stretched over the box, then a threshold. Source:
// detectron2/layers/mask_ops.py, torchvision/models/detection/roi_heads.py.
#pragma once

#include <cstdint>
#include <vector>

#include "frame/frame_view.h"
#include "geometry/box.h"
#include "geometry/mask_pasting.h"

namespace caffe2rt {

// The part of a frame that an object's mask can cover, and which pixels it does.
struct PastedMask {
  int x = 0, y = 0, width = 0, height = 0;  // pixels of the frame; lies inside it; may be empty
  std::vector<std::uint8_t> pixels;         // (height,width) row-major, 0 or 255
};

// Probabilities that stretch over an object's box.
struct SoftMask {
  const float* probs = nullptr;  // (size,size) row-major
  int size = 0;
  MaskPasting pasting = MaskPasting::kSubpixel;
};

// A pixel is 255 where the interpolated probability is at least `threshold`. `box`: pixels of the frame.
PastedMask paste_mask(const SoftMask& soft, const Box& box, FrameSize frame, float threshold = 0.5F);

}  // namespace caffe2rt
