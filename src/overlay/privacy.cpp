#include "overlay/privacy.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "decode/mapped.h"

namespace caffe2rt {
namespace {

constexpr int kCells = 8;           // along the longer side of what is concealed
constexpr double kWidening = 0.06;  // of the longer side, around a mask
constexpr int kHeldLooks = 10;
constexpr float kSamePlace = 0.2F;  // IoU

bool names(const std::vector<std::string>& classes, const std::string& label) {
  return std::ranges::any_of(classes, [&](const std::string& name) { return name == "*" || name == label; });
}

// All pixels of the box that lie in the frame.
PastedMask whole_box(const Box& box, int width, int height) {
  const auto inside = [](double edge, int side) {
    return static_cast<int>(std::clamp<double>(edge, 0, side));
  };
  const int x1 = inside(std::floor(box.x1), width), y1 = inside(std::floor(box.y1), height);
  const int x2 = inside(std::ceil(box.x2), width), y2 = inside(std::ceil(box.y2), height);
  if (x1 >= x2 || y1 >= y2) return {};
  return {x1, y1, x2 - x1, y2 - y1, std::vector<std::uint8_t>(static_cast<size_t>(x2 - x1) * (y2 - y1), 255)};
}

// The mask with a margin around what it covers, as far as the frame reaches.
PastedMask widened(PastedMask mask, int width, int height) {
  if (mask.pixels.empty()) return mask;
  const int margin = std::max(2, static_cast<int>(kWidening * std::max(mask.width, mask.height)));
  const int x1 = std::max(0, mask.x - margin), y1 = std::max(0, mask.y - margin);
  const int x2 = std::min(width, mask.x + mask.width + margin),
            y2 = std::min(height, mask.y + mask.height + margin);
  PastedMask wide{x1, y1, x2 - x1, y2 - y1, {}};
  wide.pixels.resize(static_cast<size_t>(wide.width) * wide.height);
  cv::Mat to(wide.height, wide.width, CV_8UC1, wide.pixels.data());
  cv::Mat(mask.height, mask.width, CV_8UC1, mask.pixels.data())
      .copyTo(to(cv::Rect(mask.x - x1, mask.y - y1, mask.width, mask.height)));
  cv::dilate(to, to, cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * margin + 1, 2 * margin + 1}));
  return wide;
}

Box box_of(const PastedMask& mask) {
  const auto edge = [](int e) { return static_cast<float>(e); };
  return {edge(mask.x), edge(mask.y), edge(mask.x + mask.width), edge(mask.y + mask.height)};
}

void conceal_in_plane(const FramePlane& plane, int width, int height, const PastedMask& mask, bool pixelate) {
  // Of a subsampled plane every sample that has a part in the mask.
  const int x1 = mask.x * plane.width / width, y1 = mask.y * plane.height / height;
  const int x2 = std::min(plane.width, ((mask.x + mask.width) * plane.width + width - 1) / width);
  const int y2 = std::min(plane.height, ((mask.y + mask.height) * plane.height + height - 1) / height);
  if (x1 >= x2 || y1 >= y2) return;
  cv::Mat all(plane.height, plane.width, CV_8UC(plane.channels), plane.data,
              static_cast<size_t>(plane.stride));
  cv::Mat part = all(cv::Rect(x1, y1, x2 - x1, y2 - y1));
  const double cell = std::max(1.0, std::max(part.cols, part.rows) / static_cast<double>(kCells));
  cv::Mat cells, concealed, stencil;
  const cv::Size few(std::max(1, static_cast<int>(std::lround(part.cols / cell))),
                     std::max(1, static_cast<int>(std::lround(part.rows / cell))));
  cv::resize(part, cells, few, 0, 0, cv::INTER_AREA);
  cv::resize(cells, concealed, part.size(), 0, 0, pixelate ? cv::INTER_NEAREST : cv::INTER_LINEAR);
  const cv::Mat covered(mask.height, mask.width, CV_8UC1, const_cast<std::uint8_t*>(mask.pixels.data()));
  cv::resize(covered, stencil, part.size(), 0, 0, cv::INTER_AREA);
  concealed.copyTo(part, stencil > 0);
}

}  // namespace

void Privacy::remember(std::vector<Area> now, bool looked) {
  for (Area& area : areas_) {
    area.unseen += looked;
    const auto same_place = [&](const Area& other) {
      return iou(box_of(area.mask), box_of(other.mask), 0) > kSamePlace;
    };
    if (area.unseen <= kHeldLooks && std::ranges::none_of(now, same_place)) now.push_back(std::move(area));
  }
  areas_ = std::move(now);
}

void Privacy::conceal(std::span<const FramePlane> planes, int width, int height, const Detections& detections,
                      const Affine& map, bool looked, const PrivacyStyle& style) {
  std::vector<Area> now;
  for (size_t i = 0; i < detections.objects.size(); i++) {
    const Object& object = detections.objects[i];
    const std::string label = detections.label(object.class_id);
    const bool pixelate = names(style.pixelate, label);
    if (!pixelate && !names(style.blur, label)) continue;
    PastedMask mask =
        detections.masks.size > 0
            ? widened(paste_mapped_mask(detections, static_cast<int>(i), map, width, height), width, height)
            : whole_box(map_box(object.box, map), width, height);
    if (!mask.pixels.empty()) now.push_back({std::move(mask), pixelate, 0});
  }
  remember(std::move(now), looked);
  for (const Area& area : areas_)
    for (const FramePlane& plane : planes) conceal_in_plane(plane, width, height, area.mask, area.pixelate);
}

std::vector<std::string> unknown_classes(const PrivacyStyle& style, const std::vector<std::string>& labels) {
  std::vector<std::string> unknown;
  for (const auto* classes : {&style.blur, &style.pixelate})
    for (const std::string& name : *classes)
      if (name != "*" && std::ranges::find(labels, name) == labels.end() &&
          !(labels.empty() && name.starts_with("class ")))
        unknown.push_back(name);
  return unknown;
}

}  // namespace caffe2rt
