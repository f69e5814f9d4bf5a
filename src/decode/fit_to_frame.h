// Brings boxes from the net's input to the frame, as detectron2's detector_postprocess: scaled, clipped, and
// left out where nothing remains. Source: detectron2/modeling/postprocessing.py, structures/boxes.py,
// structures/rotated_boxes.py.
#pragma once

#include <optional>

#include "decode/decoder.h"

namespace caffe2rt {

struct FrameScale {
  explicit FrameScale(const ImageSizes& sizes);
  float x, y;  // frame over input
  FrameSize frame;
};

// No value where the box is empty, or not a number, after clipping.
std::optional<Box> fit_to_frame(const Box& box, const FrameScale& scale);

// Clips boxes at most one degree off the upright ones, and leaves all others as they are.
std::optional<RotatedBox> fit_to_frame(const RotatedBox& box, const FrameScale& scale);

// The upright box around a rotated one, clipped to the frame.
Box upright_box(const RotatedBox& box, FrameSize frame);

}  // namespace caffe2rt
