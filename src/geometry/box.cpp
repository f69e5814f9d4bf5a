#include "geometry/box.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace caffe2rt {
namespace {

struct Point {
  double x, y;
};

double cross(const Point& a, const Point& b) { return a.x * b.y - a.y * b.x; }

// The corners of `box` as the axes of a rotated frame see them, going round in one sense.
std::array<Point, 4> corners(const RotatedBox& box) {
  const double theta = box.angle * std::numbers::pi / 180;
  const double c = std::cos(theta) / 2, s = std::sin(theta) / 2;
  const Point u = {c * box.width, -s * box.width}, v = {s * box.height, c * box.height};
  const double x = box.cx, y = box.cy;
  return {{{x - u.x - v.x, y - u.y - v.y},
           {x + u.x - v.x, y + u.y - v.y},
           {x + u.x + v.x, y + u.y + v.y},
           {x - u.x + v.x, y - u.y + v.y}}};
}

// A convex polygon. Each of the four cuts of a quadrilateral adds one corner at most; the rest is for
// rounding.
struct Polygon {
  std::array<Point, 16> points;
  size_t size = 0;

  void add(const Point& p) { points[size++] = p; }
};

// The part of a polygon on the inner side of the line from a to b.
Polygon cut(const Polygon& polygon, const Point& a, const Point& b) {
  const auto side = [&](const Point& p) { return cross({b.x - a.x, b.y - a.y}, {p.x - a.x, p.y - a.y}); };
  Polygon inner;
  for (size_t i = 0; i < polygon.size; i++) {
    const Point &p = polygon.points[i], &q = polygon.points[(i + 1) % polygon.size];
    const double at_p = side(p), at_q = side(q);
    if (at_p >= 0) inner.add(p);
    if ((at_p >= 0) != (at_q >= 0)) {
      const double t = at_p / (at_p - at_q);
      inner.add({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
    }
    if (inner.size + 2 > inner.points.size()) break;
  }
  return inner;
}

double area(const Polygon& polygon) {
  double twice = 0;
  for (size_t i = 0; i < polygon.size; i++)
    twice += cross(polygon.points[i], polygon.points[(i + 1) % polygon.size]);
  return std::abs(twice) / 2;
}

// Circles around the boxes do not touch: what most pairs of boxes show at once.
bool far_apart(const RotatedBox& a, const RotatedBox& b) {
  const double reach = (std::hypot(a.width, a.height) + std::hypot(b.width, b.height)) / 2;
  const double dx = a.cx - b.cx, dy = a.cy - b.cy;
  return dx * dx + dy * dy > reach * reach;
}

}  // namespace

float iou(const Box& a, const Box& b, float one) {
  const float w = std::max(std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + one, 0.0F);
  const float h = std::max(std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + one, 0.0F);
  const float shared = w * h;
  return shared / (a.area(one) + b.area(one) - shared);
}

double intersection_area(const RotatedBox& a, const RotatedBox& b) {
  if (far_apart(a, b)) return 0;
  // Coordinates relative to one centre: products of large coordinates would cost digits.
  const auto pa = corners({0, 0, a.width, a.height, a.angle});
  const auto pb = corners({b.cx - a.cx, b.cy - a.cy, b.width, b.height, b.angle});
  Polygon shared;
  for (const Point& p : pa) shared.add(p);
  for (size_t i = 0; i < 4; i++) shared = cut(shared, pb[i], pb[(i + 1) % 4]);
  return area(shared);
}

float iou(const RotatedBox& a, const RotatedBox& b) {
  const auto shared = static_cast<float>(intersection_area(a, b));
  return shared / (a.area() + b.area() - shared);
}

}  // namespace caffe2rt
