#include "base/cores.h"

#include <sched.h>

#include <algorithm>

namespace caffe2rt {

int allowed_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

}  // namespace caffe2rt
