// What BestAnchors on the CPU and on a GPU share: arguments and checks.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "base/error.h"
#include "runtime/operator.h"

namespace caffe2rt {

struct BestAnchorsArgs {
  enum Input { kScores, kDeltas };
  static constexpr std::int64_t kValues = 5, kPlaces = 3;  // numbers of each

  std::int64_t anchors, most;

  explicit BestAnchorsArgs(const OperatorArgs& args)
      : anchors(args.get("anchors", 1)), most(args.get("most", 1000)) {
    require(anchors > 0 && most > 0, ErrorCode::kArgument,
            "expected arguments 'anchors' and 'most' above 0, got {} and {}", anchors, most);
  }

  // Throws Error(kShape).
  void check(PartialShapes in) const {
    require_compatible("input 0 'scores'", in[kScores], {{kUnknown, kUnknown, kUnknown, kUnknown}});
    const std::int64_t channels = dim_or_unknown(in[kScores], 1);
    require(channels == kUnknown || channels % anchors == 0, ErrorCode::kShape,
            "input 0 'scores': expected a multiple of {} anchors, got {} channels", anchors, channels);
    require_compatible("input 1 'deltas'", in[kDeltas],
                       {{dim_or_unknown(in[kScores], 0), anchors * 4, dim_or_unknown(in[kScores], 2),
                         dim_or_unknown(in[kScores], 3)}});
  }

  // How many places of an image there are, of scores of this shape.
  std::int64_t count_of(at::IntArrayRef scores) const {
    return std::min(most, scores[1] * scores[2] * scores[3]);
  }

  // The shape of an output with so many numbers a place.
  PartialShape shape_of(PartialShapes in, std::int64_t numbers) const {
    check(in);
    const bool known = in[kScores] && std::ranges::find(*in[kScores], kUnknown) == in[kScores]->end();
    return {{dim_or_unknown(in[kScores], 0), known ? count_of(*in[kScores]) : kUnknown, numbers}};
  }
};

}  // namespace caffe2rt
