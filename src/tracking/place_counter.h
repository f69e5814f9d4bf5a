// PlaceCounter: which tracks cross lines and enter or leave zones, and how many did.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "decode/detections.h"
#include "tracking/places.h"

namespace caffe2rt {

enum class Anchor { kBottom, kCentre };  // of a box: the middle of its lower edge, or its centre

// A track is where its anchor is. It has crossed a border only when it is past it by a twentieth of its box's
// shorter side, so that one that trembles on a line is counted once; and has crossed a line only where the
// way from one side to the other meets it between its ends. Frames that nobody looked at decide nothing: what
// happened in between counts at the next look. One thread at a time.
class PlaceCounter {
 public:
  // New places begin at nothing; others with the same name and points go on.
  void set_places(const std::vector<Place>& lines, const std::vector<Place>& zones, Anchor anchor);

  bool has_places() const { return !lines_.empty() || !zones_.empty(); }

  // Takes in where tracks are, in a frame that was looked at, `seconds` into the video, and which ended;
  // writes crossings, lines and zones into `tracked`. A track that ended in a zone has left it, and
  // was inside for as long as it was seen there.
  void update(Detections& tracked, std::span<const std::int64_t> ended, double seconds);

  // Writes lines and zones with the counts so far.
  void annotate(Detections& frame);

 private:
  struct Line {
    Place place;
    std::vector<Point> ends;  // in the present frame
    std::int64_t forward = 0, backward = 0;
    struct Side {
      bool right = false;  // of the line, looking from its first point to its second
      Point at;            // where the track was surely there for the last time
    };
    std::map<std::int64_t, Side> sides;  // by track
  };
  struct Zone {
    Place place;
    std::vector<Point> corners;  // in the present frame
    std::int64_t entered = 0, left = 0;
    struct Visit {
      double since = 0, until = 0;  // seconds: when it entered, and was seen inside last
      int class_id = 0;
      Point at;
    };
    std::map<std::int64_t, Visit> visits;  // by track, those inside
  };

  void fit_to(const FrameSize& frame);
  Point anchor_of(const Object& object) const;
  void cross_lines(const Object& object, std::vector<Crossing>& crossings);
  void cross_zones(const Object& object, double seconds, std::vector<Crossing>& crossings);
  void end_track(std::int64_t track, std::vector<Crossing>& crossings);

  Anchor anchor_ = Anchor::kBottom;
  std::vector<Line> lines_;
  std::vector<Zone> zones_;
  FrameSize frame_;  // that the places were fitted to
};

}  // namespace caffe2rt
