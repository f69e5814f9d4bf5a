// Kernels of caffe2rt.PanopticMap, for one image. Masks are pasted as bits, 32 pixels of a row in a word, and
// merged one after the other, as it takes the better ones to tell what the next one covers; the rest is done
// for all pixels at once.
#pragma once

#include "geometry/fit_to_frame.h"
#include "geometry/mask_axis.h"
#include "geometry/merge_panoptic.h"
#include "ops/cuda/launch.h"
#include "ops/detection_limits.h"

namespace caffe2rt::cuda {

// A detection that may become a thing, and where its mask lies.
struct PickedThing {
  MaskAxis columns, rows;
  const float* mask = nullptr;  // (size,size)
  std::int64_t row = 0;         // of the detections
  int segment = 0;              // 0: left out
};

constexpr int kWordPixels = 32;

struct MergedFrame {
  const int* labels = nullptr;  // (P)
  int classes = 0;
  const float *boxes = nullptr, *scores = nullptr, *class_ids = nullptr, *masks = nullptr, *splits = nullptr;
  DetectionLimits limits;
  std::int64_t rows = 0;      // of all images
  int images = 0, image = 0;  // of the batch; this one
  bool slots = false;         // rows are slots (slots.h)
  int mask_channels = 0, mask_size = 0, background = 0;
  MaskPasting pasting = MaskPasting::kSubpixel;
  FrameScale scale;
  MergeRules rules;

  // Scratch; words() of a row of pixels.
  PickedThing* picked = nullptr;  // (most_things())
  int* count = nullptr;           // of them
  unsigned* bits = nullptr;       // (most_things(),height,words()): pixels that a thing's mask covers
  unsigned* taken = nullptr;      // (height,words()): pixels that things have, 0 at first
  int* segments = nullptr;        // (1) of things

  int* things = nullptr;       // (R), 0 at first
  int* stuff_areas = nullptr;  // (classes), 0 at first
  int* map = nullptr;          // (P)

  CAFFE2RT_HD int words() const { return (scale.frame.width + kWordPixels - 1) / kWordPixels; }
  CAFFE2RT_HD std::int64_t pixels() const {
    return static_cast<std::int64_t>(scale.frame.height) * scale.frame.width;
  }
  std::int64_t most_things() const { return slots ? rows / images : rows; }
};

constexpr int kMostClasses = 8192;

// REQUIRES: at most kMostClasses classes.
void merge_frame(const MergedFrame& f, cudaStream_t stream);

}  // namespace caffe2rt::cuda
