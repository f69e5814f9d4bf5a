#include "geometry/bilinear.h"

#include "base/vector_clones.h"

namespace caffe2rt {
namespace {

void add_tap(std::int32_t index, float weight, std::vector<Tap>& taps) {
  for (size_t back = 1; back <= std::min<size_t>(2, taps.size()); back++) {
    Tap& tap = taps[taps.size() - back];
    if (tap.index != index) continue;
    tap.weight += weight;
    return;
  }
  taps.push_back({index, weight});
}

constexpr std::int64_t kBlock = 64;  // channels whose sums stay in registers

}  // namespace

void add_sample(float position, std::int32_t size, std::vector<Tap>& taps) {
  const Neighbours n(position, size);
  if (!n.inside) return;
  add_tap(n.low, n.low_weight, taps);
  add_tap(n.high, n.high_weight, taps);
}

void add_sample(float y, float x, std::int32_t height, std::int32_t width, std::vector<Tap>& taps) {
  const Neighbours v(y, height), h(x, width);
  if (!v.inside || !h.inside) return;
  taps.push_back({v.low * width + h.low, v.low_weight * h.low_weight});
  taps.push_back({v.low * width + h.high, v.low_weight * h.high_weight});
  taps.push_back({v.high * width + h.low, v.high_weight * h.low_weight});
  taps.push_back({v.high * width + h.high, v.high_weight * h.high_weight});
}

CAFFE2RT_VECTOR_CLONES
void sum_pixels(const float* pixels, std::int64_t channels, std::span<const Tap> taps, float scale,
                float* out) {
  std::int64_t c = 0;
  for (; c + kBlock <= channels; c += kBlock) {
    float sums[kBlock] = {};
    for (const Tap& tap : taps) {
      const float* pixel = pixels + tap.index * channels + c;
      for (std::int64_t k = 0; k < kBlock; k++) sums[k] += tap.weight * pixel[k];
    }
    for (std::int64_t k = 0; k < kBlock; k++) out[c + k] = sums[k] * scale;
  }
  for (; c < channels; c++) {
    float sum = 0;
    for (const Tap& tap : taps) sum += tap.weight * pixels[tap.index * channels + c];
    out[c] = sum * scale;
  }
}

}  // namespace caffe2rt
