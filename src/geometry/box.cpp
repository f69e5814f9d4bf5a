#include "geometry/box.h"

#include "geometry/suppress.h"

namespace caffe2rt {

float iou(const Box& a, const Box& b, float one) { return overlap(a, b, one); }

double intersection_area(const RotatedBox& a, const RotatedBox& b) { return rotated::shared_area(a, b); }

float iou(const RotatedBox& a, const RotatedBox& b) { return rotated::overlap(a, b); }

}  // namespace caffe2rt
