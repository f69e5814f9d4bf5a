#include "tracking/place_counter.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace caffe2rt {
namespace {

constexpr double kBorder = 0.05;  // of a box's shorter side

// Twice the area of the triangle a, b, p: positive where p is to the right of the way from a to b, y down.
double turn(const Point& a, const Point& b, const Point& p) {
  return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

double length(const Point& a, const Point& b) { return std::hypot(b.x - a.x, b.y - a.y); }

// Whether the way from p to q, which lie on different sides of the line through a and b, meets it between
// them.
bool meets(const Point& a, const Point& b, const Point& p, const Point& q) {
  return (turn(p, q, a) > 0) != (turn(p, q, b) > 0);
}

double distance(const Point& p, const Point& a, const Point& b) {
  const double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const double t = square > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / square, 0.0, 1.0) : 0;
  return length(p, {a.x + t * dx, a.y + t * dy});
}

struct ToPolygon {
  bool inside = false;  // by the even-odd rule
  double distance = 0;  // of the nearest side
};

ToPolygon to_polygon(const Point& p, const std::vector<Point>& corners) {
  ToPolygon to{false, INFINITY};
  for (size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point &a = corners[i], &b = corners[j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y))
      to.inside = !to.inside;
    to.distance = std::min(to.distance, distance(p, a, b));
  }
  return to;
}

double border_of(const Object& object) { return kBorder * std::min(object.box.width(), object.box.height()); }

// Keeps what is known of places that stay.
template <class T>
void replace(std::vector<T>& known, const std::vector<Place>& places) {
  std::vector<T> now;
  for (const Place& place : places) {
    const auto same = std::ranges::find(known, place, &T::place);
    if (same != known.end())
      now.push_back(std::move(*same));
    else
      now.emplace_back().place = place;
  }
  known = std::move(now);
}

}  // namespace

void PlaceCounter::set_places(const std::vector<Place>& lines, const std::vector<Place>& zones,
                              Anchor anchor) {
  replace(lines_, lines);
  replace(zones_, zones);
  anchor_ = anchor;
  frame_ = {};
}

void PlaceCounter::fit_to(const FrameSize& frame) {
  if (frame == frame_) return;
  frame_ = frame;
  for (Line& line : lines_) line.ends = line.place.points(frame);
  for (Zone& zone : zones_) zone.corners = zone.place.points(frame);
}

Point PlaceCounter::anchor_of(const Object& object) const {
  const Box& box = object.box;
  return {(box.x1 + box.x2) / 2.0, anchor_ == Anchor::kBottom ? box.y2 : (box.y1 + box.y2) / 2.0};
}

void PlaceCounter::cross_lines(const Object& object, std::vector<Crossing>& crossings) {
  const Point at = anchor_of(object);
  for (size_t i = 0; i < lines_.size(); i++) {
    Line& line = lines_[i];
    const std::vector<Point>& ends = line.ends;
    const double beyond = turn(ends[0], ends[1], at) / std::max(1e-9, length(ends[0], ends[1]));
    if (std::abs(beyond) < border_of(object)) continue;
    const bool right = beyond > 0;
    const auto [known, fresh] = line.sides.try_emplace(object.track_id, Line::Side{right, at});
    if (!fresh && known->second.right != right && meets(ends[0], ends[1], known->second.at, at)) {
      (right ? line.forward : line.backward)++;
      crossings.push_back({right ? Crossing::Kind::kForward : Crossing::Kind::kBackward, static_cast<int>(i),
                           object.track_id, object.class_id, at, 0});
    }
    known->second = {right, at};
  }
}

void PlaceCounter::cross_zones(const Object& object, double seconds, std::vector<Crossing>& crossings) {
  const Point at = anchor_of(object);
  for (size_t i = 0; i < zones_.size(); i++) {
    Zone& zone = zones_[i];
    const auto visit = zone.visits.find(object.track_id);
    const bool was_inside = visit != zone.visits.end();
    const ToPolygon to = to_polygon(at, zone.corners);
    const bool inside = to.distance < border_of(object) ? was_inside : to.inside;
    if (inside && was_inside) {
      visit->second.at = at;
      visit->second.until = seconds;
    } else if (inside) {
      zone.entered++;
      zone.visits[object.track_id] = {seconds, seconds, object.class_id, at};
      crossings.push_back(
          {Crossing::Kind::kEntered, static_cast<int>(i), object.track_id, object.class_id, at, 0});
    } else if (was_inside) {
      zone.left++;
      crossings.push_back({Crossing::Kind::kLeft, static_cast<int>(i), object.track_id, object.class_id, at,
                           seconds - visit->second.since});
      zone.visits.erase(visit);
    }
  }
}

void PlaceCounter::end_track(std::int64_t track, std::vector<Crossing>& crossings) {
  for (Line& line : lines_) line.sides.erase(track);
  for (size_t i = 0; i < zones_.size(); i++) {
    const auto visit = zones_[i].visits.find(track);
    if (visit == zones_[i].visits.end()) continue;
    zones_[i].left++;
    crossings.push_back({Crossing::Kind::kLeft, static_cast<int>(i), track, visit->second.class_id,
                         visit->second.at, visit->second.until - visit->second.since});
    zones_[i].visits.erase(visit);
  }
}

void PlaceCounter::update(Detections& tracked, std::span<const std::int64_t> ended, double seconds) {
  fit_to({tracked.height, tracked.width});
  for (const std::int64_t track : ended) end_track(track, tracked.crossings);
  for (const Object& object : tracked.objects) {
    if (object.track_id < 0) continue;
    cross_lines(object, tracked.crossings);
    cross_zones(object, seconds, tracked.crossings);
  }
  annotate(tracked);
}

void PlaceCounter::annotate(Detections& frame) {
  fit_to({frame.height, frame.width});
  for (const Line& line : lines_)
    frame.lines.push_back({line.place.name, line.ends[0], line.ends[1], line.forward, line.backward});
  for (const Zone& zone : zones_)
    frame.zones.push_back({zone.place.name, zone.corners, static_cast<std::int64_t>(zone.visits.size()),
                           zone.entered, zone.left});
}

}  // namespace caffe2rt
