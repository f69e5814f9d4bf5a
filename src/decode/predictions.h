// Detections as arrays by the names that detectron2 gives its predictions.
#pragma once

#include "decode/detections.h"
#include "runtime/npz.h"

namespace caffe2rt {

// boxes (R,4) float32 x1 y1 x2 y2, or (R,5) cx cy width height degrees of rotated ones; scores (R) float32;
// classes (R) int64; and where the model has them masks (R,H,W) bool, keypoints (R,K,3) float32 x y score,
// sem_seg_argmax (H,W) int32, panoptic (H,W) int32. All in pixels of the frame, H,W its size.
NamedTensors predictions(const Detections& seen);

}  // namespace caffe2rt
