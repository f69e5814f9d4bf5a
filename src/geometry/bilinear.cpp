#include "geometry/bilinear.h"

#include <algorithm>

namespace caffe2rt {
namespace {

// The two neighbours of a position on an axis; none where it is too far out.
struct Neighbours {
  bool inside = false;
  std::int32_t low = 0, high = 0;
  float low_weight = 0, high_weight = 0;

  Neighbours(float position, std::int32_t size) {
    if (!(position >= -1 && position <= static_cast<float>(size))) return;
    inside = true;
    position = std::max(position, 0.0F);
    low = static_cast<std::int32_t>(position);
    if (low >= size - 1) {
      low = high = size - 1;
      position = static_cast<float>(low);
    } else {
      high = low + 1;
    }
    high_weight = position - static_cast<float>(low);
    low_weight = 1 - high_weight;
  }
};

void add_tap(std::int32_t index, float weight, std::vector<Tap>& taps) {
  for (size_t back = 1; back <= std::min<size_t>(2, taps.size()); back++) {
    Tap& tap = taps[taps.size() - back];
    if (tap.index != index) continue;
    tap.weight += weight;
    return;
  }
  taps.push_back({index, weight});
}

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

}  // namespace caffe2rt
