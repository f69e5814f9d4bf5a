#include "geometry/fit_to_frame.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace caffe2rt {
namespace {

constexpr auto kPi = std::numbers::pi_v<float>;
constexpr float kClipAngle = 1;  // degrees

Box clip(const Box& box, FrameSize frame) {
  const auto width = static_cast<float>(frame.width), height = static_cast<float>(frame.height);
  return {std::clamp(box.x1, 0.0F, width), std::clamp(box.y1, 0.0F, height), std::clamp(box.x2, 0.0F, width),
          std::clamp(box.y2, 0.0F, height)};
}

float into_half_turns(float degrees) {  // -180 <= degrees < 180
  const float turned = std::fmod(degrees + 180, 360.0F);
  return (turned < 0 ? turned + 360 : turned) - 180;
}

}  // namespace

FrameScale::FrameScale(const ImageSizes& sizes)
    : x(static_cast<float>(static_cast<double>(sizes.frame.width) / sizes.input.width)),
      y(static_cast<float>(static_cast<double>(sizes.frame.height) / sizes.input.height)),
      frame(sizes.frame) {}

std::optional<Box> fit_to_frame(const Box& box, const FrameScale& scale) {
  const Box fitted = scaled_to_frame(box, scale);
  if (fitted.width() > 0 && fitted.height() > 0) return fitted;
  return std::nullopt;
}

std::optional<RotatedBox> fit_to_frame(const RotatedBox& box, const FrameScale& scale) {
  const float theta = box.angle * kPi / 180, c = std::cos(theta), s = std::sin(theta);
  RotatedBox fitted;
  fitted.cx = box.cx * scale.x;
  fitted.cy = box.cy * scale.y;
  fitted.width = box.width * std::hypot(scale.x * c, scale.y * s);
  fitted.height = box.height * std::hypot(scale.x * s, scale.y * c);
  fitted.angle = into_half_turns(std::atan2(scale.x * s, scale.y * c) * 180 / kPi);
  if (std::abs(fitted.angle) <= kClipAngle) {
    const Box inside = clip({fitted.cx - fitted.width / 2, fitted.cy - fitted.height / 2,
                             fitted.cx + fitted.width / 2, fitted.cy + fitted.height / 2},
                            scale.frame);
    fitted.cx = (inside.x1 + inside.x2) / 2;
    fitted.cy = (inside.y1 + inside.y2) / 2;
    fitted.width = std::min(fitted.width, inside.width());  // rounding must not make it grow
    fitted.height = std::min(fitted.height, inside.height());
  }
  const bool finite = std::isfinite(fitted.cx) && std::isfinite(fitted.cy) && std::isfinite(fitted.angle) &&
                      std::isfinite(fitted.width) && std::isfinite(fitted.height);
  if (finite && fitted.width > 0 && fitted.height > 0) return fitted;
  return std::nullopt;
}

Box upright_box(const RotatedBox& box, FrameSize frame) {
  const float theta = box.angle * kPi / 180, c = std::abs(std::cos(theta)), s = std::abs(std::sin(theta));
  const float half_width = (box.width * c + box.height * s) / 2,
              half_height = (box.width * s + box.height * c) / 2;
  return clip({box.cx - half_width, box.cy - half_height, box.cx + half_width, box.cy + half_height}, frame);
}

}  // namespace caffe2rt
