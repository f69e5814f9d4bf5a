// Where a heat map is highest, for processors of all kinds: by a parabola through the cells around its
// maximum (HeatmapMaxKeypoint), or between its cells by cubic interpolation (detectron2's
// heatmaps_to_keypoints).
#pragma once

#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace caffe2rt {

struct Peak {
  float x, y;  // cells from the map's corner, unless a function says otherwise
  float score;
};

// Map of size x size cells around cell (x,y). Past an edge stands the cell on the other side of the centre.
class Neighbourhood {
 public:
  CAFFE2RT_HD Neighbourhood(const float* map, int size, int x, int y)
      : map_(map), size_(size), x_(x), y_(y) {}

  CAFFE2RT_HD float at(int dx, int dy) const { return map_[mirrored(y_, dy) * size_ + mirrored(x_, dx)]; }

 private:
  CAFFE2RT_HD int mirrored(int i, int d) const { return i + d < 0 || i + d >= size_ ? i - d : i + d; }

  const float* const map_;
  const int size_, x_, y_;
};

// The highest point of the parabola around cell (x,y), which is at most one and a half cells away. With m the
// value there, g the gradient and H the Hessian, the shift d solves H d = -g and the score is
// m + g.d + d.H.d / 2. Source: Caffe2's HeatmapMaxKeypoint.
CAFFE2RT_HD inline Peak refined_peak(const Neighbourhood& m, int x, int y) {
  constexpr float kMostShift = 1.5F;  // cells
  constexpr float kFlat = 1e-4F;      // a determinant below this has no peak worth solving for
  const float most = m.at(0, 0);
  const float gx = (m.at(1, 0) - m.at(-1, 0)) / 2, gy = (m.at(0, 1) - m.at(0, -1)) / 2;
  const float hxx = m.at(-1, 0) - 2 * most + m.at(1, 0), hyy = m.at(0, -1) - 2 * most + m.at(0, 1);
  const float hxy = (m.at(1, 1) - m.at(-1, 1) - m.at(1, -1) + m.at(-1, -1)) / 4;
  const float determinant = hxx * hyy - hxy * hxy;
  const float centre_x = static_cast<float>(x) + 0.5F, centre_y = static_cast<float>(y) + 0.5F;
  if (fabsf(determinant) < kFlat) return {centre_x, centre_y, most};

  float dx = (hxy * gy - hyy * gx) / determinant, dy = (hxy * gx - hxx * gy) / determinant;
  const float far_x = fabsf(dx), far_y = fabsf(dy), largest = far_x < far_y ? far_y : far_x;
  if (largest > kMostShift) {
    dx *= kMostShift / largest;
    dy *= kMostShift / largest;
  }
  const float score = most + gx * dx + gy * dy + (hxx * dx * dx + 2 * hxy * dx * dy + hyy * dy * dy) / 2;
  return {centre_x + dx, centre_y + dy, score};
}

// One axis of a map of `size` cells that is stretched over `pixels` pixels, between whose cells values are
// interpolated with cubic weights (A = -0.75). Source: upsample_bicubic2d of PyTorch without align_corners; a
// single pixel lies half a cell before the map, as in the versions that detectron2 was written for.
struct CubicAxis {
  int size;
  float scale;  // cells a pixel

  CAFFE2RT_HD CubicAxis(int cells, int pixels)
      : size(cells), scale(pixels == 1 ? 0 : static_cast<float>(cells) / static_cast<float>(pixels)) {}

  struct Place {
    int cells[4];
    float weights[4];
  };

  CAFFE2RT_HD Place place(int pixel) const {
    const float at = scale * (static_cast<float>(pixel) + 0.5F) - 0.5F;
    int first = static_cast<int>(floorf(at));
    first = first > size - 1 ? size - 1 : first;
    float t = at - static_cast<float>(first);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    Place p{{}, {far(t + 1), near(t), near(1 - t), far(2 - t)}};
    for (int i = 0; i < 4; i++) {
      const int cell = first - 1 + i;
      p.cells[i] = cell < 0 ? 0 : cell > size - 1 ? size - 1 : cell;
    }
    return p;
  }

 private:
  static constexpr float kA = -0.75F;
  // Weight of a cell at most one away, and of one farther away.
  CAFFE2RT_HD static float near(float x) { return ((kA + 2) * x - (kA + 3)) * x * x + 1; }
  CAFFE2RT_HD static float far(float x) { return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA; }
};

// The value of a map, rows of `columns.size` cells, at a pixel.
CAFFE2RT_HD inline float cubic_value(const float* map, int columns, const CubicAxis::Place& x,
                                     const CubicAxis::Place& y) {
  float value = 0;
  for (int i = 0; i < 4; i++) {
    const float* row = map + static_cast<std::int64_t>(y.cells[i]) * columns;
    const float across = row[x.cells[0]] * x.weights[0] + row[x.cells[1]] * x.weights[1] +
                         row[x.cells[2]] * x.weights[2] + row[x.cells[3]] * x.weights[3];
    value = i == 0 ? across * y.weights[0] : value + across * y.weights[i];
  }
  return value;
}

}  // namespace caffe2rt
