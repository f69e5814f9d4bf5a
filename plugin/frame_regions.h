// Which parts of a frame the model is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "decode/detections.h"
#include "gst_ref.h"

namespace caffe2rt::gst {

// As the properties say it.
struct RegionSettings {
  bool of_objects = false;    // regions that an element upstream attached
  std::string object_class;   // those of this label alone; empty: all
  std::string rect;           // "x,y,width,height" in pixels; empty: the whole frame
  std::string tiles = "1x1";  // "columns x rows"
  double tile_overlap = 0.2;  // of a tile

  bool operator==(const RegionSettings&) const = default;
};

class RegionPlan {
 public:
  RegionPlan() = default;
  // Throws Error(kArgument) for what makes no sense.
  explicit RegionPlan(const RegionSettings& settings);

  // The parts of a frame of that size; nothing for the whole frame. Regions outside the frame and those of
  // less than two pixels a side are left out.
  std::optional<std::vector<Region>> regions_of(GstBuffer* buffer, const FrameSize& size) const;

 private:
  std::vector<Region> object_regions(GstBuffer* buffer, const FrameSize& size) const;

  RegionSettings settings_;
  std::optional<FrameRect> rect_;
  int columns_ = 1, rows_ = 1;
};

}  // namespace caffe2rt::gst
