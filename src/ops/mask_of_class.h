// caffe2rt.MaskOfClass's inputs and the shape of what it makes, on every device.
#pragma once

#include "runtime/operator.h"

namespace caffe2rt {

struct MaskOfClassArgs {
  enum Input { kX, kFilter, kBias, kClasses };

  // Of Y. Throws Error(kShape).
  static PartialShape shape(PartialShapes in) {
    require_compatible("input 0 'X'", in[kX], {{kUnknown, kUnknown, kUnknown, kUnknown}});
    require_compatible("input 1 'filter'", in[kFilter], {{kUnknown, dim_or_unknown(in[kX], 1), 1, 1}});
    require_compatible("input 2 'bias'", in[kBias], {{dim_or_unknown(in[kFilter], 0)}});
    require_compatible("input 3 'classes'", in[kClasses], {{dim_or_unknown(in[kX], 0)}});
    return {{dim_or_unknown(in[kX], 0), 1, dim_or_unknown(in[kX], 2), dim_or_unknown(in[kX], 3)}};
  }
};

}  // namespace caffe2rt
