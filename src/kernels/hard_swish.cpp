#include "kernels/hard_swish.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/hard_swish.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace caffe2rt {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `to` may be `from`.
void Apply(const HardSwish& f, const float* from, size_t count, float* to) {
  const hn::ScalableTag<float> tag;
  const auto alpha = hn::Set(tag, f.alpha), beta = hn::Set(tag, f.beta), zero = hn::Zero(tag),
             one = hn::Set(tag, 1.0F);
  size_t i = 0;
  for (; i + hn::Lanes(tag) <= count; i += hn::Lanes(tag)) {
    const auto x = hn::LoadU(tag, from + i);
    hn::StoreU(hn::Mul(x, hn::Clamp(hn::MulAdd(alpha, x, beta), zero, one)), tag, to + i);
  }
  for (; i < count; i++) to[i] = f(from[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt {

HWY_EXPORT(Apply);

void hard_swish(const HardSwish& f, const float* from, size_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(Apply)(f, from, count, to);
}

void hard_swish(const HardSwish& f, size_t count, float* values) {
  HWY_DYNAMIC_DISPATCH(Apply)(f, values, count, values);
}

}  // namespace caffe2rt
#endif
