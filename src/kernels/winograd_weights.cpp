// Weights of Winograd's convolution: G g G^T of each filter's nine, for one matrix product a point.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/int16_rows.h"
#include "kernels/winograd_layout.h"

namespace caffe2rt::winograd {
namespace {

// G of the paper, 3 -> 6 and 3 -> 8: see winograd_transforms-inl.h.
using Row = double[3];
constexpr Row kSmall[6] = {{1. / 4, 0, 0},
                           {-1. / 6, -1. / 6, -1. / 6},
                           {-1. / 6, 1. / 6, -1. / 6},
                           {1. / 24, 1. / 12, 1. / 6},
                           {1. / 24, -1. / 12, 1. / 6},
                           {0, 0, 1}};
constexpr Row kLarge[8] = {{1, 0, 0},
                           {-2. / 9, -2. / 9, -2. / 9},
                           {-2. / 9, 2. / 9, -2. / 9},
                           {1. / 90, 1. / 45, 2. / 45},
                           {1. / 90, -1. / 45, 2. / 45},
                           {32. / 45, 16. / 45, 8. / 45},
                           {32. / 45, -16. / 45, 8. / 45},
                           {0, 0, 1}};

// Calls take(point, number) for the numbers that 9 weights become.
template <class Take>
void transform_weights(int tile, const float* g, Take&& take) {
  const Row* const rows = tile == 4 ? kSmall : kLarge;
  const int size = tile + 2;
  for (int i = 0; i < size; i++) {
    double row[3];
    for (int j = 0; j < 3; j++) row[j] = rows[i][0] * g[j] + rows[i][1] * g[3 + j] + rows[i][2] * g[6 + j];
    for (int j = 0; j < size; j++)
      take(i * size + j, static_cast<float>(rows[j][0] * row[0] + rows[j][1] * row[1] + rows[j][2] * row[2]));
  }
}

void pack_float32(const Weights& w, const float* filter, float* packed) {
  const size_t group = group_matrix(w), matrix = w.groups * group, channels = w.group_channels(),
               filters = w.group_filters(), panel = matmul::panel_width();
  for (size_t k = 0; k < static_cast<size_t>(w.filters); k++)
    for (size_t c = 0; c < channels; c++) {
      const size_t column = k % filters;
      float* to = packed + k / filters * group + (column / panel * channels + c) * panel + column % panel;
      transform_weights(w.tile, filter + (k * channels + c) * 9,
                        [&](int point, float number) { to[point * matrix] = number; });
    }
}

// A filter's (channels,9) become integers T, and those what a column of each matrix has its scale of.
template <class T>
void pack_integers(const Weights& w, const float* filter, void* packed) {
  const IntegerWeights<T, std::uint8_t> to(w, static_cast<std::uint8_t*>(packed));
  const size_t points = w.points(), channels = w.channels;
  std::vector<float> column(channels * points);
  for (size_t k = 0; k < static_cast<size_t>(w.filters); k++) {
    const float* nines = filter + k * channels * 9;
    float largest = 0;
    for (size_t i = 0; i < channels * 9; i++) largest = std::max(largest, std::abs(nines[i]));
    const float inverse = largest > 0 ? std::numeric_limits<T>::max() / largest : 0,
                scale = inverse > 0 ? 1 / inverse : 0;
    to.scale(k) = scale;
    for (size_t c = 0; c < channels; c++) {
      T* nine = to.filters(k / kFilterPanel, c / 2) + c % 2 * 9 * kFilterPanel + k % kFilterPanel;
      float rounded[9];
      for (size_t i = 0; i < 9; i++) {
        nine[i * kFilterPanel] = static_cast<T>(int16_product::round_to_int16(nines[c * 9 + i], inverse));
        rounded[i] = static_cast<float>(nine[i * kFilterPanel]) * scale;
      }
      transform_weights(w.tile, rounded,
                        [&](int point, float number) { column[c * points + point] = number; });
    }
    for (size_t point = 0; point < points; point++)
      to.scales(point)[k] = int16_product::scale_of_column(column.data() + point, channels, points);
  }
}

}  // namespace

size_t packed_size(const Weights& w) {
  if (w.numbers == Numbers::kFloat32) return w.points() * w.groups * group_matrix(w) * sizeof(float);
  return with_integers_of(w, [&]<class T>(T) { return IntegerWeights<T>::size(w); });
}

void pack(const Weights& weights, const float* filter, void* packed) {
  std::memset(packed, 0, packed_size(weights));
  if (weights.numbers == Numbers::kFloat32)
    pack_float32(weights, filter, static_cast<float*>(packed));
  else
    with_integers_of(weights, [&]<class T>(T) { pack_integers<T>(weights, filter, packed); });
}

}  // namespace caffe2rt::winograd
