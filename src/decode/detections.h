// Detections: everything a model saw in one frame, in pixels of that frame. Plain data without any tensor
// library, so that overlays, metadata and trackers can read it wherever they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frame/affine.h"
#include "frame/rect.h"
#include "geometry/box.h"
#include "geometry/mask_pasting.h"

namespace caffe2rt {

struct Keypoint {
  float x = 0, y = 0;  // pixels of the frame
  // As detectron2 has it: of heat maps their softmax there, of HeatmapMaxKeypoint the map's value.
  float score = 0;
};

struct Object {
  Box box;  // its far edges are outside; of a rotated box: the upright box around it
  std::optional<RotatedBox> rotated;
  float score = 0;   // 0..1
  int class_id = 0;  // from 0, without background
  std::vector<Keypoint> keypoints;
  int region = -1;             // index into Detections::regions of where it was seen; -1: in the whole frame
  std::int64_t track_id = -1;  // the same in all frames that show it, from 1; -1: no tracker knows it
};

// The soft masks of all objects of a frame, as the net gives them: object i's is `size` x `size`
// probabilities that stretch over its box. paste_mask (paste_masks.h) makes pixels of one.
struct SoftMasks {
  int size = 0;              // side of a mask, usually 28; 0: the model has no masks
  std::vector<float> probs;  // (R,size,size) row-major
  MaskPasting pasting = MaskPasting::kSubpixel;
};

// A class or segment id a pixel of the frame.
struct LabelMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> ids;  // (height,width) row-major
};

// One segment of a panoptic map, as detectron2's segments_info.
struct PanopticSegment {
  int id = 0;  // value in the panoptic map; 0 there is "no segment"
  bool is_thing = false;
  int category_id = 0;    // things: index into labels; stuff: the semantic head's channel
  int object = -1;        // things: index into objects
  float score = 0;        // things only
  std::int64_t area = 0;  // pixels; stuff only
};

// An output of the net as it came, for models that no decoder knows or where it was asked for.
struct RawTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row-major
};

// What a classifier thinks of the whole frame.
struct ClassScore {
  int class_id = 0;
  float score = 0;
};

// A part of the frame that a model looked at by itself.
struct Region {
  FrameRect rect;
  int parent = -1;                  // id of the object whose region this is; -1: of none
  std::vector<ClassScore> classes;  // what a classifier thinks of it, best first
};

// A line that a tracker counts at. Who looks from its first point to its second sees what crosses forward
// come from the left and go to the right.
struct CountingLine {
  std::string name;
  Point from, to;
  std::int64_t forward = 0, backward = 0;  // crossings since the tracker started
};

// A polygon that a tracker counts in.
struct CountingZone {
  std::string name;
  std::vector<Point> corners;
  std::int64_t inside = 0;             // tracks that are in it now
  std::int64_t entered = 0, left = 0;  // since the tracker started
};

// A track crossed a line, or the border of a zone.
struct Crossing {
  enum class Kind { kForward, kBackward, kEntered, kLeft };
  Kind kind = Kind::kForward;
  int where = 0;  // index into Detections::lines, or zones
  std::int64_t track_id = 0;
  int class_id = 0;
  Point at;          // where the track is now; of one that ended in a zone: where it was last
  double dwell = 0;  // seconds; kLeft: spent inside
};

struct Detections {
  int width = 0, height = 0;    // the frame that every coordinate here belongs to, pixels
  std::vector<Object> objects;  // best score first
  SoftMasks masks;
  std::optional<LabelMap> semantic;  // class of the semantic head a pixel; -1 where no region lies
  std::optional<LabelMap> panoptic;  // PanopticSegment::id a pixel
  std::vector<PanopticSegment> segments;
  std::vector<ClassScore> classes;  // best first
  std::vector<Region> regions;      // empty: the model looked at the whole frame
  std::vector<CountingLine> lines;  // of a tracker, with what it counted so far
  std::vector<CountingZone> zones;
  std::vector<Crossing> crossings;  // those of this frame
  std::vector<RawTensor> raw;
  std::shared_ptr<const std::vector<std::string>> labels;  // names by class id; may be null or shorter

  // The class's name, or "class N" where the labels have none.
  std::string label(int class_id) const;
};

}  // namespace caffe2rt
