// Pillow's antialiased bilinear filter on pixels of 8 bits a sample: columns first, then rows, each rounded
// to whole levels, with weights of 16 bits. Plain pointers, a few rows at a time; every vector width that the
// processor has, chosen when it runs.
//
// Source: ImagingResample in Pillow's src/libImaging/Resample.c, with the weights' precision of
// torch.nn.functional.interpolate(antialias=True) on uint8 (aten/src/ATen/native/cpu/UpSampleKernel.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace caffe2rt::resize {

constexpr int kRowsAtOnce = 4;   // whose columns are resized together
constexpr int kPixelBytes = 4;   // of a pixel before its columns are resized: three samples and any byte
constexpr int kSampleBytes = 3;  // and after

// How one axis of an image is resized: every place of the result is a weighted sum of neighbours.
struct Axis {
  int from = 0, to = 0;               // pixels
  int taps = 0;                       // weights of a place, a multiple of 4; the last ones may be 0
  int precision = 0;                  // bits of a weight's fraction
  std::vector<int> first;             // (to + 3) the first neighbour
  std::vector<int> count;             // (to + 3) neighbours, at most `taps`
  std::vector<std::int16_t> weights;  // (to + 3, taps)
};

// REQUIRES: from and to are at least 1.
Axis make_axis(int from, int to);

// Bytes of a row before and after its columns are resized, with the room that the kernels read and write
// beyond the last pixel.
size_t pixel_row_size(const Axis& columns);
size_t sample_row_size(int width);

// Resizes the columns of kRowsAtOnce rows: `from` are rows of (columns.from,4) uint8, `to` of (columns.to,3),
// with room as said above; what lies in it may be anything.
void resize_columns(const Axis& columns, const std::uint8_t* const* from, std::uint8_t* const* to);

// Row y of the result: `rows` are the rows.count[y] rows from rows.first[y] on, `size` samples each; writes
// as many, in rows with room.
void resize_rows(const Axis& rows, int y, const std::uint8_t* const* from, size_t size, std::uint8_t* to);

// Samples as float32: `count` of them, and not one more is written.
void write_samples(const std::uint8_t* from, size_t count, float* to);

// Three of four samples of every pixel: (width,4) uint8 -> (width,3), in a row with room.
void drop_fourth(const std::uint8_t* from, int width, std::uint8_t* to);

}  // namespace caffe2rt::resize
