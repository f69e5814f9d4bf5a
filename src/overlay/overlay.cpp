#include "overlay/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "decode/mapped.h"
#include "overlay/canvas.h"

namespace caffe2rt {
namespace {

constexpr size_t kMostClasses = 5;            // of a classifier, in the corner
constexpr float kLeastKeypointScore = 0.05F;  // as detectron2's Visualizer
constexpr int kFirstStuffColour = 500;
constexpr Colour kPlaceColour{1, 0.8, 0.1};

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

std::string caption(const Detections& detections, int class_id, std::int64_t track_id, float score,
                    const OverlayStyle& style) {
  std::vector<std::string> parts;
  if (style.labels) parts.push_back(detections.label(class_id));
  if (style.ids && track_id >= 0) parts.push_back(fmt::format("#{}", track_id));
  if (style.scores) parts.push_back(fmt::format("{:.2f}", score));
  return fmt::format("{}", fmt::join(parts, " "));
}

// Of a segment of a panoptic map; stuff has other colours than things.
std::optional<Colour> segment_colour(const std::vector<PanopticSegment>& segments, std::int32_t id) {
  const auto found = std::ranges::find(segments, id, &PanopticSegment::id);
  if (found == segments.end()) return {};
  return class_colour(found->is_thing ? found->category_id : kFirstStuffColour + found->category_id);
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
  if (width != canvas_->width() || height != canvas_->height()) trails_.clear();
  canvas_->begin(width, height, style);
  trails_.begin(style.trails ? style.trail_length : 0);
}

void Overlay::clear() { trails_.clear(); }

Colour Overlay::colour_of(const Object& object) const {
  const bool by_track = canvas_->style().colour_by == ColourBy::kTrack && object.track_id >= 0;
  return class_colour(by_track ? static_cast<int>(object.track_id) : object.class_id);
}

std::span<const OverlayPiece> Overlay::pieces() { return canvas_->pieces(); }

void Overlay::draw(const Detections& detections, const Affine& map) {
  const OverlayStyle& style = canvas_->style();
  const auto best_last = [&](auto&& f) {  // so that the best lies on top
    for (size_t i = detections.objects.size(); i-- > 0;) f(i, detections.objects[i]);
  };
  draw_areas(detections, map);
  if (style.places) draw_places(detections, map);
  if (style.trails) {
    trails_.add(detections, map);
    draw_trails();
  }
  if (style.boxes) {
    best_last(
        [&](size_t, const Object& object) { canvas_->polygon(map_corners(object, map), colour_of(object)); });
  }
  if (style.keypoints) best_last([&](size_t, const Object& object) { draw_keypoints(object, map); });
  best_last([&](size_t, const Object& object) {
    draw_caption(map_box(object.box, map),
                 caption(detections, object.class_id, object.track_id, object.score, style),
                 colour_of(object));
  });
  double y = 0;
  for (size_t i = 0; i < std::min(kMostClasses, detections.classes.size()); i++) {
    const auto [class_id, score] = detections.classes[i];
    const std::string text = caption(detections, class_id, -1, score, style);
    if (!text.empty()) y += canvas_->text(text, {0, y}, class_colour(class_id));
  }
}

void Overlay::draw_box(const Box& box, const std::string& text, int class_id) {
  const Point corners[] = {{box.x1, box.y1}, {box.x2, box.y1}, {box.x2, box.y2}, {box.x1, box.y2}};
  if (canvas_->style().boxes) canvas_->polygon(corners, class_colour(class_id));
  draw_caption(box, text, class_colour(class_id));
}

void Overlay::draw_caption(const Box& box, const std::string& text, const Colour& colour) {
  const bool visible = box.x2 > 0 && box.y2 > 0 && box.x1 < canvas_->width() && box.y1 < canvas_->height();
  if (text.empty() || !visible) return;
  const double edge = canvas_->line_width() / 2;
  canvas_->text(text, {box.x1 - edge, box.y1 - edge}, colour);
}

// A panoptic map says where objects are better than their masks do: each pixel has one owner there.
void Overlay::draw_areas(const Detections& detections, const Affine& map) {
  const OverlayStyle& style = canvas_->style();
  const int width = canvas_->width(), height = canvas_->height();
  if (style.panoptic && detections.panoptic) {
    canvas_->labels(map_labels(*detections.panoptic, map, width, height),
                    [&](std::int32_t id) { return segment_colour(detections.segments, id); });
    return;
  }
  if (style.panoptic && detections.semantic)
    canvas_->labels(map_labels(*detections.semantic, map, width, height), [](std::int32_t id) {
      return id < 0 ? std::nullopt : std::optional(class_colour(kFirstStuffColour + id));
    });
  if (!style.masks || detections.masks.size == 0) return;
  for (size_t i = detections.objects.size(); i-- > 0;)
    canvas_->mask(paste_mapped_mask(detections, static_cast<int>(i), map, width, height),
                  colour_of(detections.objects[i]));
}

void Overlay::draw_trails() {
  for (const auto& [id, trail] : trails_.all()) {
    const bool by_track = canvas_->style().colour_by == ColourBy::kTrack;
    const Colour colour = class_colour(by_track ? static_cast<int>(id) : trail.class_id);
    for (size_t i = 1; i < trail.points.size(); i++)
      canvas_->line(trail.points[i - 1], trail.points[i], colour,
                    static_cast<double>(i) / static_cast<double>(trail.points.size()));
  }
}

void Overlay::draw_places(const Detections& detections, const Affine& map) {
  const auto at = [&](const Point& p) { return map(p.x, p.y); };
  for (const CountingLine& line : detections.lines) {
    const Point from = at(line.from), to = at(line.to), middle{(from.x + to.x) / 2, (from.y + to.y) / 2};
    canvas_->line(from, to, kPlaceColour);
    // A mark to the line's right, where forward leads.
    const double length = std::max(1.0, std::hypot(to.x - from.x, to.y - from.y)),
                 reach = 6 * canvas_->line_width();
    canvas_->line(middle,
                  {middle.x - (to.y - from.y) / length * reach, middle.y + (to.x - from.x) / length * reach},
                  kPlaceColour);
    canvas_->text(fmt::format("{}: {} forward, {} backward", line.name, line.forward, line.backward), middle,
                  kPlaceColour);
  }
  for (const CountingZone& zone : detections.zones) {
    std::vector<Point> corners;
    for (const Point& corner : zone.corners) corners.push_back(at(corner));
    canvas_->polygon(corners, kPlaceColour);
    canvas_->text(fmt::format("{}: {} inside, {} entered", zone.name, zone.inside, zone.entered),
                  *std::ranges::min_element(corners, {}, &Point::y), kPlaceColour);
  }
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
