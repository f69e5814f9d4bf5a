// What the deformable convolutions of all devices have in common: arguments, checks, shapes, and where taps
// read.
#pragma once

#include "geometry/deform_tap.h"
#include "ops/window.h"
#include "runtime/operator.h"

namespace caffe2rt {

class DeformConvArgs {
 public:
  enum Input { kX, kOffset, kFilter, kBias, kMask };

  explicit DeformConvArgs(const OperatorArgs& args);

  // Of Y. Throws Error(kShape).
  PartialShape shape(PartialShapes in) const;

  std::int64_t taps() const { return window.kernel[0] * window.kernel[1]; }

  // Where the taps of an image of height x width pixels read, before they are moved.
  DeformGrid grid(std::int64_t height, std::int64_t width, std::int64_t columns) const;

  // Writes the products of gathered taps, (count,taps,C), and filters (M,C/group,KH,KW) to `rows`, (count,M).
  // All of one element type and device.
  void multiply(const at::Tensor& taps, const at::Tensor& filter, at::Tensor& rows) const;

  const Window window;
  const std::int64_t group, deformable_group;
};

}  // namespace caffe2rt
