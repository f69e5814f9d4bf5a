// Runs an init net and checks what it makes.
#pragma once

#include "graph/graph.h"

namespace caffe2rt {

// Every blob that the init net writes. Throws Error: see run_init_net, and kFormat that names the weight and
// the file where a value is not a number.
Blobs load_weights(const NetDef& init_net);

}  // namespace caffe2rt
