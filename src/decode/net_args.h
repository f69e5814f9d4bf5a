// Reads what exporters note on a whole net: its arguments, by name with a default. Throws Error(kArgument)
// where an argument has another type.
#pragma once

#include <string>
#include <vector>

#include "proto/net_def.h"

namespace caffe2rt {

float net_float(const NetDef& net, const char* name, float otherwise);  // takes integers too
std::int64_t net_int(const NetDef& net, const char* name, std::int64_t otherwise);
std::string net_string(const NetDef& net, const char* name, const std::string& otherwise);
std::vector<float> net_floats(const NetDef& net, const char* name, const std::vector<float>& otherwise);

}  // namespace caffe2rt
