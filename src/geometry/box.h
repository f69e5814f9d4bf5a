// Boxes as detectors write them, upright and rotated, in pixels; the origin is the image's top left corner.
#pragma once

#include <cstring>

namespace caffe2rt {

// Corners. Two conventions live side by side: in the older one, "legacy plus one", x2 and y2 are the last
// pixels inside and a box is x2 - x1 + 1 wide; in the newer one they are edges and it is x2 - x1 wide. Where
// a function takes `one`, that is the 1 or 0 added.
struct Box {
  static constexpr int kSize = 4;
  float x1, y1, x2, y2;

  float width(float one) const { return x2 - x1 + one; }
  float height(float one) const { return y2 - y1 + one; }
  float area(float one) const { return width(one) * height(one); }
};

// Centre, size, and degrees counter-clockwise as the viewer sees it.
struct RotatedBox {
  static constexpr int kSize = 5;
  float x, y, w, h, angle;

  float area() const { return w * h; }
};

// B::kSize floats of a tensor's row as a box, and back.
template <class B>
B read_box(const float* from) {
  B box;
  std::memcpy(&box, from, sizeof box);
  return box;
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
