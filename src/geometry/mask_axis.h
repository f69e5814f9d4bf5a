// Where a soft mask lies on one axis of a frame when it is stretched over a box, for processors of all kinds.
// Source: detectron2/layers/mask_ops.py, torchvision/models/detection/roi_heads.py.
#pragma once

#include <cmath>

#include "base/host_device.h"
#include "geometry/mask_pasting.h"

namespace caffe2rt {

// Between the centres of which cells a pixel lies, and how much each counts. Cells outside the mask are 0.
struct MaskPlace {
  int low;  // the first of the two; at least -2, at most the mask's size
  float low_weight, high_weight;
};

struct MaskAxis {
  int first = 0, count = 0;  // pixels of the frame that the mask may cover
  float begin = 0, end = 0;  // of the mask's cells, pixels
  int size = 0;              // cells

  MaskAxis() = default;

  // A mask of `cells` over a box from `from` to `to`, in a frame of so many pixels.
  CAFFE2RT_HD MaskAxis(MaskPasting pasting, float from, float to, int cells, int pixels) : size(cells) {
    if (pasting == MaskPasting::kSubpixel) {
      begin = from;
      end = to;
      set_pixels(floorf(from) - 1, ceilf(to) + 1, pixels);
      return;
    }
    // The mask with a cell of padding on each side is resized to as many whole pixels as its box, widened by
    // that padding and with both ends cut down, counts both ends included.
    constexpr float kFarthest = 1e6F;  // from a frame's corner that a box may lie, pixels
    const float padded = static_cast<float>(cells + 2) / static_cast<float>(cells);
    const float centre = (to + from) * 0.5F, half = (to - from) * 0.5F * padded;
    const float low = truncf(centre - half), last = truncf(centre + half),
                high = (low < last ? last : low) + 1;
    if (!(fabsf(low) < kFarthest && fabsf(high) < kFarthest)) return;
    set_pixels(low, high, pixels);
    // Without the padding the mask lies a cell further in.
    const float cell = (high - low) / static_cast<float>(cells + 2);
    begin = low + cell;
    end = high - cell;
  }

  // The steps are those of detectron2's grid and of grid_sample with align_corners=False, each rounded to
  // float32.
  CAFFE2RT_HD MaskPlace place(int pixel) const {
    const float grid = (static_cast<float>(pixel) + 0.5F - begin) / (end - begin) * 2 - 1;
    const float cell = (grid + 1) * (static_cast<float>(size) / 2) - 0.5F, low = floorf(cell);
    const float most = static_cast<float>(size);
    const int index = static_cast<int>(low >= -2 ? (low < most ? low : most) : -2.0F);  // NaN: -2
    return {index, 1 - (cell - low), cell - low};
  }

 private:
  CAFFE2RT_HD static int clamped(float value, int most) {
    return static_cast<int>(value < 0                          ? 0
                            : value > static_cast<float>(most) ? static_cast<float>(most)
                                                               : value);
  }
  CAFFE2RT_HD void set_pixels(float low, float high, int pixels) {
    first = clamped(low, pixels);
    count = clamped(high, pixels) - first;
    if (count < 0) count = 0;
  }
};

}  // namespace caffe2rt
