#include "geometry/bilinear.h"

namespace caffe2rt {
namespace {

void add_tap(std::int32_t index, float weight, std::vector<Tap>& taps) {
  const auto size = static_cast<std::int32_t>(taps.size());
  taps.resize(taps.size() + 1);  // room for one more
  taps.resize(join_tap(index, weight, taps.data(), size));
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
