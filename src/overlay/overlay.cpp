#include "overlay/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "decode/mapped.h"
#include "overlay/canvas.h"

namespace caffe2rt {
namespace {

constexpr size_t kMostClasses = 5;            // of a classifier, in the corner
constexpr float kLeastKeypointScore = 0.05F;  // as detectron2's Visualizer

// Limbs of COCO's 17 keypoints: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before
// right.
constexpr size_t kCocoKeypoints = 17;
constexpr std::array<std::pair<int, int>, 19> kCocoLimbs{{{15, 13},
                                                          {13, 11},
                                                          {16, 14},
                                                          {14, 12},
                                                          {11, 12},
                                                          {5, 11},
                                                          {6, 12},
                                                          {5, 6},
                                                          {5, 7},
                                                          {6, 8},
                                                          {7, 9},
                                                          {8, 10},
                                                          {1, 2},
                                                          {0, 1},
                                                          {0, 2},
                                                          {1, 3},
                                                          {2, 4},
                                                          {3, 5},
                                                          {4, 6}}};

std::string caption(const Detections& detections, int class_id, float score, const OverlayStyle& style) {
  if (!style.labels) return style.scores ? fmt::format("{:.2f}", score) : "";
  const std::string label = detections.label(class_id);
  return style.scores ? fmt::format("{} {:.2f}", label, score) : label;
}

}  // namespace

Colour class_colour(int class_id) {
  // Hues a golden ratio apart, in three brightnesses.
  const auto n = static_cast<unsigned>(class_id);
  const double hue = 6 * std::fmod(0.6180339887 * (n % 1024) + 0.35, 1.0), value = 1 - 0.15 * (n % 3);
  const auto channel = [&](double shift) {
    const double k = std::fmod(hue + shift, 6.0);
    return value * (1 - 0.85 * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
  };
  return {channel(5), channel(3), channel(1)};
}

Overlay::Overlay() : canvas_(std::make_unique<Canvas>()) {}
Overlay::~Overlay() = default;

void Overlay::begin(int width, int height, const OverlayStyle& style) {
  canvas_->begin(width, height, style);
}

std::span<const OverlayPiece> Overlay::pieces() { return canvas_->pieces(); }

void Overlay::draw(const Detections& detections, const Affine& map) {
  const OverlayStyle& style = canvas_->style();
  const auto best_last = [&](auto&& f) {  // so that the best lies on top
    for (size_t i = detections.objects.size(); i-- > 0;) f(i, detections.objects[i]);
  };
  if (style.masks && detections.masks.size > 0) {
    best_last([&](size_t i, const Object& object) {
      canvas_->mask(
          paste_mapped_mask(detections, static_cast<int>(i), map, canvas_->width(), canvas_->height()),
          class_colour(object.class_id));
    });
  }
  if (style.boxes) {
    best_last([&](size_t, const Object& object) {
      canvas_->polygon(map_corners(object, map), class_colour(object.class_id));
    });
  }
  if (style.keypoints) best_last([&](size_t, const Object& object) { draw_keypoints(object, map); });
  best_last([&](size_t, const Object& object) {
    draw_caption(map_box(object.box, map), caption(detections, object.class_id, object.score, style),
                 object.class_id);
  });
  double y = 0;
  for (size_t i = 0; i < std::min(kMostClasses, detections.classes.size()); i++) {
    const auto [class_id, score] = detections.classes[i];
    const std::string text = caption(detections, class_id, score, style);
    if (!text.empty()) y += canvas_->text(text, {0, y}, class_colour(class_id));
  }
}

void Overlay::draw_box(const Box& box, const std::string& text, int class_id) {
  const Point corners[] = {{box.x1, box.y1}, {box.x2, box.y1}, {box.x2, box.y2}, {box.x1, box.y2}};
  if (canvas_->style().boxes) canvas_->polygon(corners, class_colour(class_id));
  draw_caption(box, text, class_id);
}

void Overlay::draw_caption(const Box& box, const std::string& text, int class_id) {
  const bool visible = box.x2 > 0 && box.y2 > 0 && box.x1 < canvas_->width() && box.y1 < canvas_->height();
  if (text.empty() || !visible) return;
  const double edge = canvas_->line_width() / 2;
  canvas_->text(text, {box.x1 - edge, box.y1 - edge}, class_colour(class_id));
}

void Overlay::draw_keypoints(const Object& object, const Affine& map) {
  const std::vector<Keypoint>& points = object.keypoints;
  const auto seen = [&](int i) { return points[i].score > kLeastKeypointScore; };
  const auto at = [&](int i) { return map(points[i].x, points[i].y); };
  if (points.size() == kCocoKeypoints) {
    for (const auto& [a, b] : kCocoLimbs)
      if (seen(a) && seen(b)) canvas_->line(at(a), at(b), class_colour(a + 1));
  }
  for (size_t i = 0; i < points.size(); i++)
    if (seen(static_cast<int>(i))) canvas_->dot(at(static_cast<int>(i)), {1, 1, 1});
}

void blend(std::span<const OverlayPiece> pieces, std::uint8_t* bgr, std::ptrdiff_t stride) {
  for (const OverlayPiece& piece : pieces) {
    for (int y = 0; y < piece.height; y++) {
      const std::uint8_t* from = piece.pixels + y * piece.stride;
      std::uint8_t* to = bgr + (piece.y + y) * stride + piece.x * 3;
      for (int x = 0; x < piece.width; x++, from += 4, to += 3)
        for (int c = 0; c < 3; c++)
          to[c] = static_cast<std::uint8_t>(std::min(255, from[c] + (to[c] * (255 - from[3]) + 127) / 255));
    }
  }
}

}  // namespace caffe2rt
