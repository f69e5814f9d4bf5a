// The arguments that the operators on boxes share.
#pragma once

#include <algorithm>

#include "geometry/box_coder.h"
#include "runtime/operator_args.h"

namespace caffe2rt {

constexpr const char* kSlotsDoc =
    "not in files: 1: on a GPU each image has a fixed number of rows, of which it fills the first; set by "
    "the pass use_slots";

// 1 for legacy_plus_one, which is the default, 0 otherwise: the `one` of geometry/box.h.
inline float read_one(const OperatorArgs& args) { return args.get("legacy_plus_one", true) ? 1.0F : 0.0F; }

// What the schemas say of them.
inline constexpr const char* kLegacyPlusOneDoc =
    "1 (default): x2 and y2 are the last pixels inside a box; 0: they are its edges";
inline constexpr const char* kAngleBoundOnDoc =
    "1 (default): angles of rotated boxes are brought into angle_bound_lo..angle_bound_hi";
inline constexpr const char* kAngleBoundLoDoc = "degrees, default -90";
inline constexpr const char* kAngleBoundHiDoc = "degrees, default 90; the range is a multiple of 180";
inline constexpr const char* kClipAngleThreshDoc =
    "rotated boxes at most so many degrees off upright are clipped to the image, default 1";

// Throws Error(kArgument) for weights that are not four, and for an angle range that is no multiple of 180
// degrees.
inline BoxCoder read_box_coder(const OperatorArgs& args) {
  BoxCoder coder;
  coder.one = read_one(args);
  coder.bound_angles = args.get("angle_bound_on", true);
  coder.angle_lo = args.get("angle_bound_lo", -90);
  coder.angle_hi = args.get("angle_bound_hi", 90);
  coder.clip_angle = args.get("clip_angle_thresh", 1.0F);
  if (const auto weights = args.floats("weights"); !weights.empty()) {
    require(weights.size() == 4, ErrorCode::kArgument, "argument 'weights': expected 4 numbers, got {}",
            weights.size());
    std::copy(weights.begin(), weights.end(), coder.weights.begin());
  }
  return coder;
}

// For operators that may meet rotated boxes.
inline void check_angle_range(const BoxCoder& coder) {
  const std::int64_t period = static_cast<std::int64_t>(coder.angle_hi) - coder.angle_lo;
  require(!coder.bound_angles || (period > 0 && period % 180 == 0), ErrorCode::kArgument,
          "arguments 'angle_bound_lo' and 'angle_bound_hi': expected a range of 180 degrees or a multiple, "
          "got {} to {}",
          coder.angle_lo, coder.angle_hi);
}

}  // namespace caffe2rt
