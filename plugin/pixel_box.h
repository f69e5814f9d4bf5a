// Boxes in whole pixels, as GStreamer's own metadata has them.
#pragma once

#include <algorithm>
#include <cmath>

#include "decode/detections.h"

namespace caffe2rt::gst {

// The box clipped to the frame.
inline Box clipped(const Box& box, const Detections& frame) {
  const auto width = static_cast<float>(frame.width), height = static_cast<float>(frame.height);
  const float x1 = std::clamp(box.x1, 0.0F, width), y1 = std::clamp(box.y1, 0.0F, height);
  return {x1, y1, std::clamp(box.x2, x1, width), std::clamp(box.y2, y1, height)};
}

// Its edges rounded to pixels.
inline FrameRect pixel_box(const Box& box, const Detections& frame) {
  const Box inside = clipped(box, frame);
  const auto pixel = [](float edge) { return static_cast<int>(std::lround(edge)); };
  const int x = pixel(inside.x1), y = pixel(inside.y1);
  return {x, y, pixel(inside.x2) - x, pixel(inside.y2) - y};
}

}  // namespace caffe2rt::gst
