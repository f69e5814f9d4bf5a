// Trails: where tracked objects came from, as long as they are drawn.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>

#include "decode/detections.h"

namespace caffe2rt {

// One thread at a time.
class Trails {
 public:
  struct Trail {
    std::deque<Point> points;  // oldest first, pixels of the frame; where the object's box stands
    int class_id = 0;
    int unseen = 0;  // frames
  };

  // A frame begins: trails of what was not seen for `length` frames end, and none has more points than that.
  void begin(int length);

  // Adds the places of the frame's tracks; `map` leads from their frame to the one that is drawn on.
  void add(const Detections& detections, const Affine& map);

  void clear() { trails_.clear(); }

  const std::map<std::int64_t, Trail>& all() const { return trails_; }  // by id

 private:
  std::map<std::int64_t, Trail> trails_;
};

}  // namespace caffe2rt
