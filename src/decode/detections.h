// Detections: everything a model saw in one frame, in pixels of that frame. Plain data without any tensor
// library, so that overlays, metadata and trackers can read it wherever they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frame/rect.h"
#include "geometry/box.h"

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
  int region = -1;  // index into Detections::regions of where it was seen; -1: in the whole frame
};

// How a soft mask becomes pixels of a frame.
enum class MaskPasting {
  kSubpixel,      // interpolated where the box lies: detectron2
  kIntegerBoxes,  // resized to the box, padded by a cell and cut down to whole pixels: torchvision
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

struct Detections {
  int width = 0, height = 0;    // the frame that every coordinate here belongs to, pixels
  std::vector<Object> objects;  // best score first
  SoftMasks masks;
  std::optional<LabelMap> semantic;  // class of the semantic head a pixel; -1 where no region lies
  std::optional<LabelMap> panoptic;  // PanopticSegment::id a pixel
  std::vector<PanopticSegment> segments;
  std::vector<ClassScore> classes;  // best first
  std::vector<Region> regions;      // empty: the model looked at the whole frame
  std::vector<RawTensor> raw;
  std::shared_ptr<const std::vector<std::string>> labels;  // names by class id; may be null or shorter

  // The class's name, or "class N" where the labels have none.
  std::string label(int class_id) const;
};

}  // namespace caffe2rt
