// Several of the element types that an input may have: Types::kFloat | Types::kDouble.
#pragma once

#include "runtime/schema.h"

namespace caffe2rt {

constexpr Types operator|(Types a, Types b) {
  return static_cast<Types>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

}  // namespace caffe2rt
