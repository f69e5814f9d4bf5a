// Rows of pixels of a soft mask that is stretched over a box: the inner loops of pasting. Plain pointers;
// every vector width that the processor has, chosen when it runs, all with the same results.
#pragma once

#include <cstddef>
#include <cstdint>

namespace caffe2rt::paste {

constexpr size_t kRoom =
    16;  // elements of a row of 32 bit numbers that may be read and written beyond its end

// One axis of a mask: `size` cells between two places of the frame, in pixels, and cells around them that are
// 0.
struct Stretch {
  float begin, end;
  int size, border;
};

// Between which cells pixels lie, by pixel, with kRoom.
struct Places {
  int* low;  // the first of the two, counted with the border
  float *low_weight, *high_weight;
};

// The places of the pixels [first, first + count). The steps are those of detectron2's grid and of
// grid_sample with align_corners=False, each rounded to float32.
void find_cells(const Stretch& stretch, int first, size_t count, const Places& places);

// Pixels [starts[i], starts[i+1]) of a row become values[i]; i < runs. Writes up to kRoom elements more.
void spread(const float* values, const int* starts, int runs, float* to);

// Two neighbouring rows of a mask's cells, looked up for the columns of pixels between whose centres these
// lie, and how much the left and the right cell weigh there: rows of float32 with kRoom. Fastest on
// boundaries of 64 bytes.
struct Cells {
  const float *upper_left, *upper_right, *lower_left, *lower_right;
  const float *left_weight, *right_weight;
};

// How much the cells above and below each row of pixels weigh.
struct RowWeights {
  const float *upper, *lower;
  RowWeights from(int row) const { return {upper + row, lower + row}; }
};

// (rows,width) pixels that lie between the same rows of cells: 255 where their four neighbours' weighted sum
// is at least `threshold`, else 0. Every product and sum is rounded to float32, in the order of
// grid_sample's: upper left, upper right, lower left, lower right.
void threshold_rows(const Cells& cells, const RowWeights& weights, int rows, size_t width, float threshold,
                    std::uint8_t* to);

}  // namespace caffe2rt::paste
