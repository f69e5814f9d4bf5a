// Brings boxes from the net's input to the frame, as detectron2's detector_postprocess: scaled, clipped, and
// left out where nothing remains. Source: detectron2/modeling/postprocessing.py, structures/boxes.py,
// structures/rotated_boxes.py.
#pragma once

#include <optional>

#include "base/host_device.h"
#include "frame/image_sizes.h"
#include "geometry/box.h"

namespace caffe2rt {

struct FrameScale {
  FrameScale() = default;
  explicit FrameScale(const ImageSizes& sizes);
  float x = 1, y = 1;  // frame over input
  FrameSize frame;
};

// The box scaled and clipped, empty or not; for processors of all kinds.
CAFFE2RT_HD inline Box scaled_to_frame(const Box& box, const FrameScale& scale) {
  const auto clip = [](float value, int most) {
    const auto high = static_cast<float>(most);
    return value < 0 ? 0 : high < value ? high : value;  // not a number stays
  };
  return {clip(box.x1 * scale.x, scale.frame.width), clip(box.y1 * scale.y, scale.frame.height),
          clip(box.x2 * scale.x, scale.frame.width), clip(box.y2 * scale.y, scale.frame.height)};
}

// No value where the box is empty, or not a number, after clipping.
std::optional<Box> fit_to_frame(const Box& box, const FrameScale& scale);

// Clips boxes at most one degree off the upright ones, and leaves all others as they are.
std::optional<RotatedBox> fit_to_frame(const RotatedBox& box, const FrameScale& scale);

// The upright box around a rotated one, clipped to the frame.
Box upright_box(const RotatedBox& box, FrameSize frame);

}  // namespace caffe2rt
