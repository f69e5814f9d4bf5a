// Lines and zones as users write them, and as they lie in a frame.
#pragma once

#include <string>
#include <vector>

#include "decode/detections.h"
#include "frame/frame_view.h"

namespace caffe2rt {

// A named line (two points) or zone (three or more).
struct Place {
  struct Coordinate {
    double value = 0;
    bool percent = false;  // of the frame's width or height; else pixels
    bool operator==(const Coordinate&) const = default;
  };
  std::string name;
  std::vector<Coordinate> coordinates;  // x, y, x, y, ...
  bool operator==(const Place&) const = default;

  std::vector<Point> points(const FrameSize& frame) const;  // pixels
};

// Reads "gate:100,200,500,200;door:0%,80%,100%,80%": lines with semicolons between them, each a name and the
// pixels x1,y1,x2,y2, or parts of the frame with a %. Throws Error(kArgument) that quotes what is wrong: no
// name, one used twice, another number of points, or a line without length.
std::vector<Place> read_lines(const std::string& text);

// Reads zones in the same way, polygons of three corners or more.
std::vector<Place> read_zones(const std::string& text);

}  // namespace caffe2rt
