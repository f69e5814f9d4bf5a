// Products of matrices of 16 bit integers, twice as many at a time as of float32, whose rows and columns have
// scales of their own: sixteen bits are enough for numbers that a transform is going to take apart again,
// where bfloat16's eight are not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul_panel.h"

namespace caffe2rt::int16_product {

// Columns of the panels of a packed matrix that multiply() is the fastest with. It takes wider ones, too, of
// which matmul::kWidestPanel is a multiple.
size_t panel_width();

// Pairs of neighbours along a depth.
constexpr size_t pairs_of(size_t depth) { return (depth + 1) / 2; }

// row (count) float32 -> (count, rounded up to pairs) int16, which may take the row's place; returns what
// stands for one, row[i] = about scale * to[i]. A row with infinite or no numbers has a scale that is none.
float quantize(const float* row, size_t count, std::int16_t* to);

// What stands for one in a column of a packed matrix with `depth` numbers, `step` floats apart.
float scale_of_column(const float* numbers, size_t depth, size_t step);

// Writes it as column `column` of panels of so many, and gives that.
float pack_column(const float* numbers, size_t depth, size_t step, size_t panel, std::int16_t* packed,
                  size_t column);

// Where in a packed matrix the first pair of a column is: panels, pairs of the depth, columns of the panel.
// From one pair to the next there are `panel` 32 bit words.
constexpr size_t offset(size_t column, size_t pairs, size_t panel) {
  return column / panel * panel * pairs + column % panel;
}

// 32 bit words of a packed matrix.
constexpr size_t packed_size(size_t depth, size_t columns) { return pairs_of(depth) * columns; }

// c (rows,columns) float32 = a times b, with scales. Sums cannot overflow: the rows and columns that
// quantize() and pack_column() make are not long enough for that (Cauchy and Schwarz).
struct Problem {
  const std::int32_t* a = nullptr;  // (rows,pairs), rows `a_step` words apart
  size_t a_step = 0, rows = 0, pairs = 0;
  size_t columns = 0;                    // a multiple of matmul::kWidestPanel
  size_t panel = 0;                      // columns of a panel
  const std::int32_t* packed = nullptr;  // on a boundary of 64 bytes
  const float* row_scales = nullptr;     // (rows)
  const float* column_scales = nullptr;  // (columns)
  float* c = nullptr;
  size_t c_step = 0;
};

void multiply(const Problem& problem);

// Without vectors: what the others are compared with.
float quantize_plainly(const float* row, size_t count, std::int16_t* to);
void multiply_plainly(const Problem& problem);

}  // namespace caffe2rt::int16_product
