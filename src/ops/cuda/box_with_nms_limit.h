// BoxWithNMSLimit's kernels, of one image. Class c of C object classes, counted from 0 without the
// background, is column score_first + c of the scores and box_first + c of the boxes, or always column 0 of
// these.
#pragma once

#include "ops/cuda/boxes.h"

namespace caffe2rt::cuda {

struct ClassScores {
  const float* scores = nullptr;  // (R,columns)
  int rows = 0, columns = 0, classes = 0, score_first = 0;
  float threshold = 0;
  const float* filled = nullptr;  // how many of the rows there are; null: all
  std::int64_t* keys = nullptr;  // (C,R): order_key of score and row, or the lowest number where not above it
  int* sizes = nullptr;          // (C), zero before: how many are above
};
void make_class_keys(const ClassScores& s, cudaStream_t stream);

struct ClassBoxes {
  const std::int64_t* keys = nullptr;  // (C,R), best first
  const int* sizes = nullptr;          // (C)
  const float* boxes = nullptr;        // (R,4*columns); rotated: (R,5*columns)
  int rows = 0, columns = 0, classes = 0, box_first = 0;
  bool one_for_all = false, rotated = false;
  void* sorted = nullptr;  // (C,R) of the kind; those past a class's size are left alone
};
void gather_class_boxes(const ClassBoxes& b, cudaStream_t stream);

// Those that suppression kept, of all classes, as order_keys of score and place, which is class * limit +
// rank.
struct KeptKeys {
  const std::int64_t* keys = nullptr;  // (C,R), as in ClassBoxes
  const float* scores = nullptr;
  const int* kept = nullptr;        // (C,limit): positions in R
  const int* kept_sizes = nullptr;  // (C)
  const float* lowered = nullptr;   // (C,limit): their scores after Soft-NMS; null: those they had
  int rows = 0, columns = 0, classes = 0, score_first = 0, limit = 0;
  std::int64_t* to = nullptr;  // (C,limit), the lowest number where there is none
};
void make_kept_keys(const KeptKeys& k, cudaStream_t stream);

// Places of those keys; past all others for the lowest number.
void places_of_keys(const std::int64_t* keys, int count, int* places, cudaStream_t stream);

struct DetectionRows {
  KeptKeys kept;
  const int* places = nullptr;  // (D), rising
  int count = 0;                // D
  bool rotated = false;
  const void* sorted = nullptr;  // (C,R) of the kind
  float class_offset = 0;        // added to the class
  float* scores = nullptr;       // (D)
  float* boxes = nullptr;        // (D,4); rotated: (D,5)
  float* classes = nullptr;      // (D)
  int* rows = nullptr;           // (D)
  int* keeps_size = nullptr;     // (1+C), zero before: how many of each class, the background first
  float* found = nullptr;        // where there are fewer than D: how many, zero before; null: there are D
};
void write_detections(const DetectionRows& d, cudaStream_t stream);

}  // namespace caffe2rt::cuda
