// The area that two rotated boxes share, for processors of all kinds: one box is cut along the sides of the
// other (Sutherland and Hodgman, "Reentrant Polygon Clipping", 1974), in float64.
#pragma once

#include <cmath>
#include <numbers>

#include "base/host_device.h"
#include "geometry/box.h"

namespace caffe2rt::rotated {

struct Point {
  double x, y;
};

CAFFE2RT_HD inline double cross(const Point& a, const Point& b) { return a.x * b.y - a.y * b.x; }

// A convex polygon. Each of the four cuts of a quadrilateral adds one corner at most; the rest is for
// rounding.
struct Polygon {
  static constexpr int kMost = 16;
  Point points[kMost];
  int size = 0;

  CAFFE2RT_HD void add(const Point& p) { points[size++] = p; }
  CAFFE2RT_HD const Point& after(int i) const { return points[i + 1 < size ? i + 1 : 0]; }
};

// The corners of a box around (x,y), as the axes of a rotated frame see them, going round in one sense.
CAFFE2RT_HD inline Polygon corners(double x, double y, const RotatedBox& box) {
  const double theta = box.angle * std::numbers::pi / 180;
  const double c = cos(theta) / 2, s = sin(theta) / 2;
  const Point u = {c * box.width, -s * box.width}, v = {s * box.height, c * box.height};
  Polygon polygon;
  polygon.add({x - u.x - v.x, y - u.y - v.y});
  polygon.add({x + u.x - v.x, y + u.y - v.y});
  polygon.add({x + u.x + v.x, y + u.y + v.y});
  polygon.add({x - u.x + v.x, y - u.y + v.y});
  return polygon;
}

// On which side of the line from a to b a point lies, and how far: 0 and above is inside.
CAFFE2RT_HD inline double side(const Point& a, const Point& b, const Point& p) {
  return cross({b.x - a.x, b.y - a.y}, {p.x - a.x, p.y - a.y});
}

// The part of a polygon on the inner side of the line from a to b.
CAFFE2RT_HD inline Polygon cut(const Polygon& polygon, const Point& a, const Point& b) {
  Polygon inner;
  for (int i = 0; i < polygon.size; i++) {
    const Point &p = polygon.points[i], &q = polygon.after(i);
    const double at_p = side(a, b, p), at_q = side(a, b, q);
    if (at_p >= 0) inner.add(p);
    if ((at_p >= 0) != (at_q >= 0)) {
      const double t = at_p / (at_p - at_q);
      inner.add({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
    }
    if (inner.size + 2 > Polygon::kMost) break;
  }
  return inner;
}

CAFFE2RT_HD inline double area(const Polygon& polygon) {
  double twice = 0;
  for (int i = 0; i < polygon.size; i++) twice += cross(polygon.points[i], polygon.after(i));
  return fabs(twice) / 2;
}

// Circles around the boxes do not touch: what most pairs of boxes show at once.
CAFFE2RT_HD inline bool far_apart(const RotatedBox& a, const RotatedBox& b) {
  const double reach =
      (hypot(double{a.width}, double{a.height}) + hypot(double{b.width}, double{b.height})) / 2;
  const double dx = a.cx - b.cx, dy = a.cy - b.cy;
  return dx * dx + dy * dy > reach * reach;
}

CAFFE2RT_HD inline double shared_area(const RotatedBox& a, const RotatedBox& b) {
  if (far_apart(a, b)) return 0;
  // Coordinates relative to one centre: products of large coordinates would cost digits.
  Polygon shared = corners(0, 0, a);
  const Polygon other = corners(b.cx - a.cx, b.cy - a.cy, b);
  for (int i = 0; i < other.size; i++) shared = cut(shared, other.points[i], other.after(i));
  return area(shared);
}

// Intersection over union. Not a number where both boxes are empty.
CAFFE2RT_HD inline float overlap(const RotatedBox& a, const RotatedBox& b) {
  const auto shared = static_cast<float>(shared_area(a, b));
  return shared / (a.width * a.height + b.width * b.height - shared);
}

}  // namespace caffe2rt::rotated
