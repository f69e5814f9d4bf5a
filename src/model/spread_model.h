// A model on several devices.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"

namespace caffe2rt {

// One model of several that are alike but for where they run: each batch goes to the one that has the fewest
// frames to look at, of equal ones the first. REQUIRES: there is at least one.
std::unique_ptr<Model> spread(std::vector<std::unique_ptr<Model>> models);

}  // namespace caffe2rt
