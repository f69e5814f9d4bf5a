// The arguments that the operators on regions of several pyramid levels share, on every device.
#pragma once

#include <string>

#include "geometry/pyramid_level.h"
#include "runtime/operator_args.h"

namespace caffe2rt {

// From the arguments `PREFIX_min_level` and `PREFIX_max_level`. Throws Error(kArgument).
struct Levels {
  int min, max;

  Levels(const OperatorArgs& args, const std::string& prefix, int default_min, int default_max)
      : min(args.get(prefix + "_min_level", default_min)), max(args.get(prefix + "_max_level", default_max)) {
    require(min <= max && max < 32 && min > -32, ErrorCode::kArgument,
            "arguments '{0}_min_level' and '{0}_max_level': {1} to {2}", prefix, min, max);
  }
  std::size_t count() const { return static_cast<std::size_t>(std::int64_t{max} - min + 1); }
};

// Throws Error(kArgument).
inline PyramidLevels read_pyramid_levels(const OperatorArgs& args) {
  const Levels levels(args, "roi", 2, 5);
  const PyramidLevels pyramid{levels.min, levels.max, args.get("roi_canonical_scale", 224.0F),
                              args.get("roi_canonical_level", 4.0F)};
  require(pyramid.canonical_scale > 0, ErrorCode::kArgument,
          "argument 'roi_canonical_scale': expected a positive number, got {}", pyramid.canonical_scale);
  return pyramid;
}

}  // namespace caffe2rt
