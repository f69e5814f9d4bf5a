// How much of the machine this process may use.
#pragma once

namespace caffe2rt {

// Cores that the process may run on (sched_getaffinity), at least 1.
int allowed_cores();

}  // namespace caffe2rt
