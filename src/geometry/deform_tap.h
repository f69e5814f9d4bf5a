// Where the taps of a deformable convolution read an image, for processors of all kinds. Source: Deformable
// convolutional networks, https://arxiv.org/abs/1703.06211.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace caffe2rt {

// The four pixels around a place, from (row,column) on, and how much each counts; pixels outside the image
// are zero.
struct DeformTap {
  bool inside = false;  // whether any of them is in the image; not for places that are no number
  int row = 0, column = 0;
  float weights[4] = {};  // upper left, upper right, lower left, lower right

  // `weight`: of the tap. Places are pixels of an image of height x width, whose centres are at 0, 1, 2, ...
  CAFFE2RT_HD DeformTap(float y, float x, float weight, int height, int width) {
    if (!(y > -1 && x > -1 && y < static_cast<float>(height) && x < static_cast<float>(width))) return;
    inside = true;
    const float top = floorf(y), left = floorf(x), dy = y - top, dx = x - left;
    row = static_cast<int>(top);
    column = static_cast<int>(left);
    weights[0] = weight * (1 - dy) * (1 - dx);
    weights[1] = weight * (1 - dy) * dx;
    weights[2] = weight * dy * (1 - dx);
    weights[3] = weight * dy * dx;
  }
};

// The windows of a convolution over an image, whose taps offsets move.
struct DeformGrid {
  int height = 0, width = 0;  // of the image
  int columns = 0;            // windows in a row
  std::int64_t windows = 0;
  int kernel_width = 1, taps = 1;
  int stride[2] = {1, 1}, dilation[2] = {1, 1}, pad[2] = {0, 0};  // down, right

  // Tap k of group g of a window. offset (2*groups*taps,windows): down, then right, of each; mask
  // (groups*taps,windows), or null: 1.
  CAFFE2RT_HD DeformTap tap(std::int64_t window, int g, int k, const float* offset, const float* mask) const {
    const auto row = static_cast<int>(window / columns), column = static_cast<int>(window % columns);
    const int y = row * stride[0] - pad[0] + k / kernel_width * dilation[0];
    const int x = column * stride[1] - pad[1] + k % kernel_width * dilation[1];
    const std::int64_t place = static_cast<std::int64_t>(g) * taps + k;
    return {static_cast<float>(y) + offset[2 * place * windows + window],
            static_cast<float>(x) + offset[(2 * place + 1) * windows + window],
            mask ? mask[place * windows + window] : 1, height, width};
  }
};

}  // namespace caffe2rt
