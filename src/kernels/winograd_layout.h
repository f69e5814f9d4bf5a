// How a convolution is cut into tiles, and how those lie in scratch memory: the same for every vector width.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/int16_product.h"
#include "kernels/matmul_panel.h"
#include "kernels/past_caches.h"
#include "kernels/winograd.h"

namespace caffe2rt::winograd {

// Filters of integers lie in panels of so many.
constexpr size_t kFilterPanel = matmul::kWidestPanel;

// Elements of a group's packed matrix in float32; a point's are one behind the other.
inline size_t group_matrix(const Weights& w) {
  return static_cast<size_t>(w.group_channels()) * matmul::count_columns(w.group_filters());
}

// Images in a line along one axis, and tiles over them.
class Axis {
 public:
  // A pixel of an image; none where `image` is negative.
  struct Place {
    int image = -1, pixel = 0;
  };

  Axis(int images, int size, int pad, int tile, bool joined)
      : images_(images), size_(size), pad_(pad), out_(size + 2 * pad - 2), tile_(tile) {
    const int each = (out_ + tile - 1) / tile, whole = ((images - 1) * (size + pad) + out_ + tile - 1) / tile;
    joined_ = joined && whole < images * each;
    tiles_of_image_ = each;
    tiles_ = joined_ ? whole : images * each;
  }

  int tiles() const { return tiles_; }

  // What pixel `i` of a tile reads, of tile + 2.
  Place input(int tile, int i) const { return place(tile, i - pad_, size_); }
  // What it writes, of as many as a tile is long.
  Place output(int tile, int i) const { return place(tile, i, out_); }

 private:
  Place place(int tile, int offset, int size) const {
    int image = tile / tiles_of_image_, pixel = tile % tiles_of_image_ * tile_ + offset;
    if (joined_) {
      const int period = size_ + pad_, at = tile * tile_ + offset;
      image = at < 0 ? -1 : at / period;
      pixel = at % period;
    }
    return pixel >= 0 && pixel < size && image < images_ ? Place{image, pixel} : Place{};
  }

  int images_, size_, pad_, out_, tile_, tiles_of_image_, tiles_;
  bool joined_;
};

// The images beside and below each other, as few tiles as can be.
class Canvas {
 public:
  explicit Canvas(const Problem& p)
      : images_(p.images), columns_(1), down_(axis_down(p)), across_(axis_across(p)) {
    constexpr int kMostColumns = 6;
    if (!p.joined) return;
    Canvas best = *this;
    for (columns_ = 2; columns_ <= std::min(kMostColumns, p.images); columns_++) {
      down_ = axis_down(p);
      across_ = axis_across(p);
      if (count_tiles() < best.count_tiles()) best = *this;
    }
    *this = best;
  }

  int count_tiles() const { return down_.tiles() * across_.tiles(); }

  // Of a tile's pixels, those that it reads or those that it writes: take(pixel of the tile, pixel of all
  // images), which is negative where there is none.
  template <int kPixels, class Take>
  void for_each_input(const Problem& p, int tile, Take&& take) const {
    for_each<kPixels>(
        tile, p.height, p.width, [](const Axis& axis, int t, int i) { return axis.input(t, i); }, take);
  }
  template <int kPixels, class Take>
  void for_each_output(const Problem& p, int tile, Take&& take) const {
    for_each<kPixels>(
        tile, p.out_height(), p.out_width(), [](const Axis& axis, int t, int i) { return axis.output(t, i); },
        take);
  }

 private:
  Axis axis_down(const Problem& p) const {
    return {(p.images + columns_ - 1) / columns_, p.height, p.pad, p.weights.tile, p.joined};
  }
  Axis axis_across(const Problem& p) const { return {columns_, p.width, p.pad, p.weights.tile, p.joined}; }

  template <int kPixels, class Find, class Take>
  void for_each(int tile, int height, int width, Find&& find, Take&& take) const {
    std::array<Axis::Place, kPixels> columns;
    for (int j = 0; j < kPixels; j++) columns[j] = find(across_, tile % across_.tiles(), j);
    for (int i = 0; i < kPixels; i++) {
      const Axis::Place row = find(down_, tile / across_.tiles(), i);
      for (int j = 0; j < kPixels; j++) {
        const Axis::Place column = columns[j];
        const int image = row.image * columns_ + column.image;
        const bool there = row.image >= 0 && column.image >= 0 && image < images_;
        take(i * kPixels + j,
             there ? (static_cast<std::ptrdiff_t>(image) * height + row.pixel) * width + column.pixel : -1);
      }
    }
  }

  int images_, columns_;
  Axis down_, across_;
};

// Groups that are computed at a time, so that their matrices stay near the processor; others have matrices
// apart from theirs.
struct Slices {
  int groups, count;  // of a slice, of slices

  explicit Slices(const Weights& w) {
    constexpr int kChannels = 128;
    const int widest = std::max(w.group_channels(), w.group_filters());
    groups = std::clamp(kChannels / widest, 1, w.groups);
    count = (w.groups + groups - 1) / groups;
  }
  int channels(const Weights& w) const { return groups * w.group_channels(); }
  int filters(const Weights& w) const { return groups * w.group_filters(); }
};

// Tiles of a block, of so many. Its matrices should stay near the processor, the weights, which every block
// reads once, should be read seldom, and no thread should wait for another's last block.
inline int tiles_of_block(const Problem& p, int tiles) {
  constexpr int kStep = 14, kMost = 112;  // whole numbers of rows that the product takes at a time
  constexpr size_t kScratch = 1200 * 1024 / sizeof(float);
  const Slices slices(p.weights);
  const size_t widest = std::max(slices.channels(p.weights), slices.filters(p.weights));
  const int least = p.weights.numbers == Numbers::kFloat32 ? 3 * kStep : 2 * kStep,
            fit = std::clamp(static_cast<int>(kScratch / (widest * (p.weights.points() + 1))) / kStep * kStep,
                             least, kMost);
  const int threads = std::max(1, p.threads / slices.count),
            rounds = std::max(1, (tiles + fit * threads / 2) / (fit * threads));
  return std::clamp((tiles + rounds * threads - 1) / (rounds * threads), 1, kMost);
}

// Packed weights of integers: the filters, in integers T of their own, panels of them, pairs of channels,
// channels of the pair, nine, filters of the panel; then a scale a filter; then one a filter for each point,
// of its column of the point's matrix. Byte: const or not.
template <class T, class Byte = const std::uint8_t>
class IntegerWeights {
  template <class Number>
  using Like = std::conditional_t<std::is_const_v<Byte>, const Number, Number>;

 public:
  IntegerWeights(const Weights& w, Byte* packed)
      : pairs_(int16_product::pairs_of(w.channels)),
        columns_(columns_of(w)),
        filters_(reinterpret_cast<Like<T>*>(packed)),
        scales_(reinterpret_cast<Like<float>*>(filters_ + pairs_ * 2 * kNine * columns_)) {}

  static size_t size(const Weights& w) {
    return columns_of(w) *
           (int16_product::pairs_of(w.channels) * 2 * kNine * sizeof(T) + (1 + w.points()) * sizeof(float));
  }

  // (2,9,kFilterPanel) of a pair of channels.
  Like<T>* filters(size_t panel, size_t pair) const {
    return filters_ + (panel * pairs_ + pair) * 2 * kNine * kFilterPanel;
  }
  Like<float>& scale(size_t column) const { return scales_[column]; }
  Like<float>* scales(size_t point) const { return scales_ + (1 + point) * columns_; }
  // What takes integers of a filter to those of a matrix.
  float factor(size_t point, size_t column) const {
    const float to = scales(point)[column];
    return to > 0 ? scale(column) / to : 0;
  }

 private:
  static constexpr size_t kNine = 9;
  static size_t columns_of(const Weights& w) { return matmul::count_columns(w.filters); }

  size_t pairs_, columns_;
  Like<T>* filters_;
  Like<float>* scales_;
};

// Calls f(T()) with the integers that the filters are.
template <class F>
auto with_integers_of(const Weights& w, F&& f) {
  if (w.numbers == Numbers::kInt8) return f(std::int8_t());
  return f(std::int16_t());
}

// Words from a point's matrix of integers to the next: at a power of two those that are written together
// would compete for the same lines of the cache.
inline size_t integer_matrix(const Weights& w) {
  return int16_product::packed_size(w.channels, matmul::count_columns(w.filters)) + kLineFloats;
}

// How a thread's scratch memory is used by a slice: a pixel of zeros, one matrix more than there are points,
// and where they become integers a scale for each of their rows.
struct Layout {
  int tiles;           // rows of a matrix
  size_t row, matrix;  // elements from one to the next
  float *zeros, *matrices, *scales;
  float *pixels, *columns;  // a tile's results, and what Problem::pointwise makes of them

  Layout(const Problem& p, int block_tiles, float* scratch)
      : tiles(block_tiles),
        row(row_of(p)),
        matrix(row * tiles),
        zeros(scratch),
        matrices(scratch + row),
        scales(matrices + (p.weights.points() + 1) * matrix),
        pixels(scales + scales_of(p, block_tiles)),
        columns(pixels + pixels_of(p) * row) {
    std::fill_n(zeros, row, 0.0F);
  }

  static size_t size(const Problem& p, int block_tiles) {
    const size_t rows = static_cast<size_t>(block_tiles), points = p.weights.points();
    return row_of(p) * (1 + (points + 1) * rows) + scales_of(p, block_tiles) +
           pixels_of(p) * (row_of(p) + kMostColumns);
  }

 private:
  static size_t scales_of(const Problem& p, int block_tiles) {
    return (static_cast<size_t>(p.weights.points()) * block_tiles + 15) / 16 * 16;
  }
  static size_t pixels_of(const Problem& p) {
    return p.pointwise ? static_cast<size_t>(p.weights.tile) * p.weights.tile : 0;
  }
  // Rows at a power of two would compete for the same lines of the cache.
  static size_t row_of(const Problem& p) {
    const Slices slices(p.weights);
    return std::max((static_cast<size_t>(slices.channels(p.weights)) + 15) / 16 * 16,
                    matmul::count_columns(slices.filters(p.weights))) +
           16;
  }
};

}  // namespace caffe2rt::winograd
