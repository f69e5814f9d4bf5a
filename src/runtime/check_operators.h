// Checks of a NetDef against the operators' schemas, before anything is built from it.
#pragma once

#include "proto/net_def.h"

namespace caffe2rt {

// Throws Error(kUnsupported) that lists every operator type without an implementation and how often it
// occurs, then Error(kGraph) for the first operator with too few or too many inputs or outputs.
void check_operators(const NetDef& net);

}  // namespace caffe2rt
