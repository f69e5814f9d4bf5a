// Weights of Winograd's convolution: G g G^T of each filter's nine, for one matrix product a point.
#include <cstdint>
#include <cstring>
#include <vector>

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
               filters = w.group_filters();
  for (size_t k = 0; k < static_cast<size_t>(w.filters); k++)
    for (size_t c = 0; c < channels; c++) {
      const size_t column = k % filters;
      float* to = packed + k / filters * group + (column / matmul::kPanel * channels + c) * matmul::kPanel +
                  column % matmul::kPanel;
      transform_weights(w.tile, filter + (k * channels + c) * 9,
                        [&](int point, float number) { to[point * matrix] = number; });
    }
}

void pack_int16(const Weights& w, const float* filter, std::int32_t* packed) {
  const Int16Weights layout(w);
  float* scales = layout.scales(reinterpret_cast<float*>(packed));
  std::vector<float> column(w.channels * layout.points);
  for (int k = 0; k < w.filters; k++) {
    for (int c = 0; c < w.channels; c++)
      transform_weights(w.tile, filter + (static_cast<size_t>(k) * w.channels + c) * 9,
                        [&](int point, float number) { column[c * layout.points + point] = number; });
    for (size_t point = 0; point < layout.points; point++)
      scales[point * layout.columns + k] =
          int16_product::pack_column(column.data() + point, w.channels, layout.points,
                                     reinterpret_cast<std::int16_t*>(packed + point * layout.matrix), k);
  }
}

}  // namespace

size_t packed_size(const Weights& w) {
  const size_t words =
      w.numbers == Numbers::kInt16 ? Int16Weights(w).words() : w.points() * w.groups * group_matrix(w);
  return words * sizeof(float);
}

void pack(const Weights& weights, const float* filter, void* packed) {
  std::memset(packed, 0, packed_size(weights));
  if (weights.numbers == Numbers::kInt16)
    pack_int16(weights, filter, static_cast<std::int32_t*>(packed));
  else
    pack_float32(weights, filter, static_cast<float*>(packed));
}

}  // namespace caffe2rt::winograd
