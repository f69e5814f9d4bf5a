// BoxMotion: where a box is and where it is going, as a Kalman filter of constant velocity. Plain arithmetic.
#pragma once

#include <array>

#include "geometry/box.h"

namespace caffe2rt {

// State: centre, width and height of the box and their velocities, in pixels and pixels a frame of 30 a
// second. No axis tells anything about another, so that the filter of eight values is four of two. Noise
// grows with the box: a twentieth of its side for positions, a 160th for velocities. Source: the filter of
// SORT (arXiv:1602.00763) with the noise of DeepSORT and ByteTrack (arXiv:2110.06864) and the axes of
// BoT-SORT (arXiv:2206.14651). REQUIRES: boxes are finite.
class BoxMotion {
 public:
  static constexpr double kFramesPerSecond = 30;

  explicit BoxMotion(const Box& box);

  // The box that many frames on; no side is shorter than a pixel. After a second it stays where it is: no
  // velocity is known well enough for longer.
  Box at(double frames) const;

  // Goes on by that many frames, of which no more than a second's are moved.
  void advance(double frames);

  // Takes in where a detector saw the box now.
  void correct(const Box& seen);

  // Nobody saw the box: it moves on, but its size stays.
  void keep_size();

 private:
  struct Axis {
    double x = 0, v = 0;            // value and velocity
    double xx = 0, xv = 0, vv = 0;  // their covariances
  };
  enum { kCentreX, kCentreY, kWidth, kHeight, kAxes };

  double side_of(int axis) const;  // that its noise goes by

  std::array<Axis, kAxes> axes_;
};

}  // namespace caffe2rt
