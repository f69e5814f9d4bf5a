// Affine: a map of the plane, as between a frame and what became of it after scaling. Pixels, origin top
// left.
#pragma once

namespace caffe2rt {

struct Point {
  double x = 0, y = 0;
};

// x' = xx x + xy y + x0, y' = yx x + yy y + y0.
struct Affine {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  static constexpr Affine scale(double x, double y) { return {x, 0, 0, 0, y, 0}; }

  constexpr Point operator()(double x, double y) const {
    return {xx * x + xy * y + x0, yx * x + yy * y + y0};
  }

  // This map first, then the next.
  constexpr Affine then(const Affine& next) const {
    const Point origin = next(x0, y0);
    return {next.xx * xx + next.xy * yx, next.xx * xy + next.xy * yy, origin.x,
            next.yx * xx + next.yy * yx, next.yx * xy + next.yy * yy, origin.y};
  }

  // REQUIRES: the map loses no dimension.
  constexpr Affine inverse() const {
    const double det = xx * yy - xy * yx;
    const Affine linear{yy / det, -xy / det, 0, -yx / det, xx / det, 0};
    const Point origin = linear(x0, y0);
    return {linear.xx, linear.xy, -origin.x, linear.yx, linear.yy, -origin.y};
  }

  // Whether pixels keep their rows, columns and directions.
  constexpr bool only_scales_and_shifts() const { return xy == 0 && yx == 0 && xx > 0 && yy > 0; }
};

}  // namespace caffe2rt
