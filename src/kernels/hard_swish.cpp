#include "kernels/hard_swish.h"

#include "base/vector_clones.h"

namespace caffe2rt {
namespace {

CAFFE2RT_VECTOR_CLONES void apply(HardSwish f, const float* __restrict from, size_t count,
                                  float* __restrict to) {
  for (size_t i = 0; i < count; i++) to[i] = f(from[i]);
}

CAFFE2RT_VECTOR_CLONES void apply_in_place(HardSwish f, size_t count, float* values) {
  for (size_t i = 0; i < count; i++) values[i] = f(values[i]);
}

}  // namespace

void hard_swish(const HardSwish& f, const float* from, size_t count, float* to) { apply(f, from, count, to); }
void hard_swish(const HardSwish& f, size_t count, float* values) { apply_in_place(f, count, values); }

}  // namespace caffe2rt
