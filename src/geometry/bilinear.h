// Bilinear sampling of feature maps as RoIAlign does it: which pixels a bin of a region reads and how much
// each counts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/host_device.h"
#include "kernels/sum_pixels.h"

namespace caffe2rt {

// The samples of bins along one side of a region, in pixels of the feature map.
struct Axis {
  float start, bin;
  int samples;  // in a bin

  CAFFE2RT_HD Axis(float from, float length, int bins, int sampling_ratio)
      : start(from),
        bin(length / static_cast<float>(bins)),
        samples(sampling_ratio > 0 ? sampling_ratio : static_cast<int>(std::ceil(bin))) {}

  CAFFE2RT_HD float at(int b, int sample) const {
    return start + static_cast<float>(b) * bin +
           (static_cast<float>(sample) + 0.5F) * bin / static_cast<float>(samples);
  }
};

// The two neighbours of a position on an axis of `size` pixels; none where it is too far out.
struct Neighbours {
  bool inside = false;
  std::int32_t low = 0, high = 0;
  float low_weight = 0, high_weight = 0;

  CAFFE2RT_HD Neighbours(float position, std::int32_t size) {
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

// Adds a tap to `size` others; one that is among the last two takes its weight in. Returns how many there
// are.
CAFFE2RT_HD inline std::int32_t join_tap(std::int32_t index, float weight, Tap* taps, std::int32_t size) {
  for (std::int32_t back = 1; back <= (size < 2 ? size : 2); back++) {
    Tap& tap = taps[size - back];
    if (tap.index != index) continue;
    tap.weight += weight;
    return size;
  }
  taps[size] = {index, weight};
  return size + 1;
}

// Adds the taps of one sample at `position` along an axis of `size` pixels, whose centres are at 0, 1, 2, ...
// Up to one pixel outside it stands for the nearest one, further out for zero. Positions that rise give few
// taps: neighbours join.
void add_sample(float position, std::int32_t size, std::vector<Tap>& taps);

// The same on a map of height x width pixels.
void add_sample(float y, float x, std::int32_t height, std::int32_t width, std::vector<Tap>& taps);

}  // namespace caffe2rt
