#include "tracking/places.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"

namespace caffe2rt {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

// What one kind of place is called and has to have.
struct Kind {
  const char* name;
  const char* form;
  size_t least_points, most_points;
};
constexpr Kind kLine{"lines", "name:x1,y1,x2,y2", 2, 2};
constexpr Kind kZone{"zones", "name:x1,y1,x2,y2,x3,y3 and so on", 3, 1000};

// Throws Error(kArgument) with the reason.
template <class... Args>
[[noreturn]] void refuse(const Kind& kind, std::string_view entry, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(ErrorCode::kArgument, "{}: expected {}, in pixels or parts of the frame as in 50%, got '{}': {}",
       kind.name, kind.form, entry, fmt::format(reason, std::forward<Args>(args)...));
}

Place::Coordinate read_coordinate(const Kind& kind, std::string_view entry, std::string_view text) {
  Place::Coordinate c;
  std::string_view digits = text;
  if (digits.ends_with('%')) {
    c.percent = true;
    digits = trimmed(digits.substr(0, digits.size() - 1));
  }
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), c.value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(c.value))
    refuse(kind, entry, "'{}' is no number", text);
  return c;
}

Place read_place(const Kind& kind, std::string_view entry) {
  const size_t colon = entry.rfind(':');
  Place place;
  if (colon != entry.npos) place.name = trimmed(entry.substr(0, colon));
  if (place.name.empty()) refuse(kind, entry, "it has no name");
  for (const std::string_view number : split(entry.substr(colon + 1), ','))
    place.coordinates.push_back(read_coordinate(kind, entry, number));
  const size_t count = place.coordinates.size();
  if (count % 2 != 0 || count < 2 * kind.least_points || count > 2 * kind.most_points)
    refuse(kind, entry, "it has {} numbers", count);
  const auto& c = place.coordinates;
  if (count == 4 && c[0] == c[2] && c[1] == c[3]) refuse(kind, entry, "its two points are the same");
  return place;
}

std::vector<Place> read_places(const Kind& kind, const std::string& text) {
  std::vector<Place> places;
  for (const std::string_view entry : split(text, ';')) {
    if (entry.empty()) continue;
    Place place = read_place(kind, entry);
    if (std::ranges::find(places, place.name, &Place::name) != places.end())
      refuse(kind, entry, "the name '{}' is taken", place.name);
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace

std::vector<Point> Place::points(const FrameSize& frame) const {
  const auto pixels = [](const Coordinate& c, int side) {
    return c.percent ? c.value / 100 * side : c.value;
  };
  std::vector<Point> points;
  for (size_t i = 0; i + 1 < coordinates.size(); i += 2)
    points.push_back({pixels(coordinates[i], frame.width), pixels(coordinates[i + 1], frame.height)});
  return points;
}

std::vector<Place> read_lines(const std::string& text) { return read_places(kLine, text); }

std::vector<Place> read_zones(const std::string& text) { return read_places(kZone, text); }

}  // namespace caffe2rt
