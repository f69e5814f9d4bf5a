#include "kernels/sum_pixels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sum_pixels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace caffe2rt {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

constexpr std::int64_t kLanes = hn::MaxLanes(Tag());
// Vectors whose sums stay in registers: the longer a part of a pixel, the better it is fetched.
constexpr std::int64_t kVectors = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM ? 16 : 8;

template <std::int64_t kCount>
HWY_INLINE void sum_vectors(const float* pixels, std::int64_t channels, std::span<const Tap> taps,
                            const PixelSum& sum, const float* bias, float* out) {
  const Tag tag;
  Vec sums[kCount];
#pragma GCC unroll 16
  for (std::int64_t v = 0; v < kCount; v++) sums[v] = hn::Zero(tag);
  for (const Tap& tap : taps) {
    const float* pixel = pixels + tap.index * channels;
    const Vec weight = hn::Set(tag, tap.weight);
#pragma GCC unroll 16
    for (std::int64_t v = 0; v < kCount; v++)
      sums[v] = hn::MulAdd(weight, hn::LoadU(tag, pixel + v * kLanes), sums[v]);
  }
  const Vec factor = hn::Set(tag, sum.scale);
#pragma GCC unroll 16
  for (std::int64_t v = 0; v < kCount; v++) {
    Vec y = hn::Mul(sums[v], factor);
    if (bias) y = hn::Add(y, hn::LoadU(tag, bias + v * kLanes));
    if (sum.relu) y = hn::Max(y, hn::Zero(tag));
    hn::StoreU(y, tag, out + v * kLanes);
  }
}

void SumPixels(const float* pixels, std::int64_t channels, std::span<const Tap> taps, const PixelSum& sum,
               float* out) {
  const auto bias_of = [&](std::int64_t c) { return sum.bias ? sum.bias + c : nullptr; };
  std::int64_t c = 0;
  for (; c + kVectors * kLanes <= channels; c += kVectors * kLanes)
    sum_vectors<kVectors>(pixels + c, channels, taps, sum, bias_of(c), out + c);
  for (; c + kLanes <= channels; c += kLanes)
    sum_vectors<1>(pixels + c, channels, taps, sum, bias_of(c), out + c);
  for (; c < channels; c++) {
    float y = 0;
    for (const Tap& tap : taps) y += tap.weight * pixels[tap.index * channels + c];
    y = y * sum.scale + (sum.bias ? sum.bias[c] : 0);
    out[c] = sum.relu && !(y > 0) ? 0 : y;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt {

HWY_EXPORT(SumPixels);

void sum_pixels(const float* pixels, std::int64_t channels, std::span<const Tap> taps, const PixelSum& sum,
                float* out) {
  HWY_DYNAMIC_DISPATCH(SumPixels)(pixels, channels, taps, sum, out);
}

}  // namespace caffe2rt
#endif
