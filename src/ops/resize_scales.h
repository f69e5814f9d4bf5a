// ResizeScales: by how much ResizeNearest and UpsampleBilinear stretch an image, given as arguments or as the
// second input.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "runtime/operator.h"

namespace caffe2rt {

class ResizeScales {
 public:
  enum Input { kX, kScales };
  struct Scales {
    float height, width;
  };

  explicit ResizeScales(const OperatorArgs& args)
      : scales_{args.get("height_scale", 1.0F), args.get("width_scale", 1.0F)},
        are_fed_(args.num_inputs() > kScales) {
    if (!are_fed_) check(scales_);
  }

  bool are_fed() const { return are_fed_; }

  // The scales of a run. Throws Error where they make no sense.
  Scales of(const Inputs& in) const {
    if (!in.has(kScales)) return scales_;
    require_shape(in, kScales, {2});
    const at::Tensor fed = in[kScales].cpu().contiguous();
    const Scales scales{fed.data_ptr<float>()[0], fed.data_ptr<float>()[1]};
    check(scales);
    return scales;
  }

  // The shape of X, of rank 4, after a run; axis `height` holds rows and the next one columns.
  PartialShape shape(PartialShapes in, size_t height) const {
    if (!in[kX]) return {};
    std::vector<std::int64_t> shape = *in[kX];
    require(shape.size() == 4, ErrorCode::kShape, "input 0 'X': expected 4 dimensions, got {}",
            to_string(in[kX]));
    shape[height] = are_fed_ ? kUnknown : resized(shape[height], scales_.height);
    shape[height + 1] = are_fed_ ? kUnknown : resized(shape[height + 1], scales_.width);
    return shape;
  }

  // In float32, as the original has it.
  static std::int64_t resized(std::int64_t size, float scale) {
    return size == kUnknown ? kUnknown : static_cast<std::int64_t>(static_cast<float>(size) * scale);
  }

 private:
  static void check(const Scales& scales) {
    const auto sane = [](float s) { return s > 0 && s <= 1024; };
    require(sane(scales.height) && sane(scales.width), ErrorCode::kArgument,
            "expected scales above 0 and at most 1024, got height {} and width {}", scales.height,
            scales.width);
  }

  const Scales scales_;
  const bool are_fed_;
};

}  // namespace caffe2rt
