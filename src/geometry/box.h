// Boxes as detectors write them, upright and rotated, in pixels; the origin is the top left corner of the
// image's top left pixel. Plain data without any tensor library.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "base/host_device.h"

namespace caffe2rt {

// Corners. Two conventions live side by side: in the older one, "legacy plus one", x2 and y2 are the last
// pixels inside and a box is x2 - x1 + 1 wide; in the newer one they are edges and it is x2 - x1 wide. Where
// a function takes `one`, that is the 1 or 0 added.
struct Box {
  static constexpr int kSize = 4;
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  CAFFE2RT_HD float width(float one = 0) const { return x2 - x1 + one; }
  CAFFE2RT_HD float height(float one = 0) const { return y2 - y1 + one; }
  CAFFE2RT_HD float area(float one) const { return width(one) * height(one); }
};

// Centre, size, and degrees counter-clockwise as the viewer sees it: detectron2's RotatedBoxes.
struct RotatedBox {
  static constexpr int kSize = 5;
  float cx = 0, cy = 0, width = 0, height = 0, angle = 0;

  float area() const { return width * height; }
};

// B::kSize floats of a tensor's row as a box, and back.
template <class B>
B read_box(const float* from) {
  std::array<float, B::kSize> values;
  std::memcpy(values.data(), from, sizeof values);
  return std::bit_cast<B>(values);
}
template <class B>
void write_box(const B& box, float* to) {
  std::memcpy(to, &box, sizeof box);
}

// Intersection over union. Not a number where both boxes are empty.
float iou(const Box& a, const Box& b, float one);
float iou(const RotatedBox& a, const RotatedBox& b);

// Area that two rotated boxes share.
double intersection_area(const RotatedBox& a, const RotatedBox& b);

}  // namespace caffe2rt
