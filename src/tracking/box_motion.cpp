#include "tracking/box_motion.h"

#include <algorithm>

namespace caffe2rt {
namespace {

constexpr double kPositionNoise = 1.0 / 20, kVelocityNoise = 1.0 / 160;  // of a side, standard deviations
constexpr double kLeastSide = 1;                                         // pixels

std::array<double, 4> centre_and_size(const Box& box) {
  return {(box.x1 + box.x2) / 2.0, (box.y1 + box.y2) / 2.0, box.x2 - box.x1, box.y2 - box.y1};
}

constexpr double square(double value) { return value * value; }

double moved_frames(double frames) { return std::clamp(frames, 0.0, BoxMotion::kFramesPerSecond); }

}  // namespace

BoxMotion::BoxMotion(const Box& box) {
  const auto seen = centre_and_size(box);
  for (int i = 0; i < kAxes; i++) axes_[i].x = seen[i];
  for (int i = 0; i < kAxes; i++) {
    axes_[i].xx = square(2 * kPositionNoise * side_of(i));
    axes_[i].vv = square(10 * kVelocityNoise * side_of(i));
  }
}

double BoxMotion::side_of(int axis) const {
  return std::max(kLeastSide, axes_[axis == kCentreX || axis == kWidth ? kWidth : kHeight].x);
}

Box BoxMotion::at(double frames) const {
  const double dt = moved_frames(frames);
  const auto value = [&](int i) { return axes_[i].x + axes_[i].v * dt; };
  const double w = std::max(kLeastSide, value(kWidth)) / 2, h = std::max(kLeastSide, value(kHeight)) / 2;
  const double x = value(kCentreX), y = value(kCentreY);
  const auto edge = [](double e) { return static_cast<float>(e); };
  return {edge(x - w), edge(y - h), edge(x + w), edge(y + h)};
}

void BoxMotion::advance(double frames) {
  const double dt = moved_frames(frames);
  for (int i = 0; i < kAxes; i++) {
    Axis& a = axes_[i];
    a.xx += dt * (2 * a.xv + dt * a.vv) + dt * square(kPositionNoise * side_of(i));
    a.xv += dt * a.vv;
    a.vv += dt * square(kVelocityNoise * side_of(i));
  }
  for (Axis& a : axes_) a.x += a.v * dt;
}

void BoxMotion::correct(const Box& seen) {
  const auto values = centre_and_size(seen);
  for (int i = 0; i < kAxes; i++) {
    Axis& a = axes_[i];
    const double total = a.xx + square(kPositionNoise * side_of(i));
    const double gain_x = a.xx / total, gain_v = a.xv / total, error = values[i] - a.x;
    a.x += gain_x * error;
    a.v += gain_v * error;
    a.vv -= gain_v * a.xv;
    a.xv -= gain_x * a.xv;
    a.xx -= gain_x * a.xx;
  }
}

void BoxMotion::keep_size() { axes_[kWidth].v = axes_[kHeight].v = 0; }

}  // namespace caffe2rt
