// What the ways to compute dot_conv.h share: how packed weights and rows lie in memory, and how numbers
// become smaller ones.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/dot_conv.h"
#include "kernels/im2row.h"
#include "kernels/tile_product.h"

namespace caffe2rt::dot_conv {

constexpr size_t kPanel = 32;  // columns of a panel

using Group = std::int32_t;  // as many neighbours along the depth as fit into 32 bits

inline size_t group_of(Kind kind) { return kind == Kind::kBfloat16 ? 2 : 4; }
inline size_t count_panels(size_t filters) { return (filters + kPanel - 1) / kPanel; }
inline size_t groups_of(Kind kind, size_t depth) { return (depth + group_of(kind) - 1) / group_of(kind); }

// Which part of the depth, in groups, is summed at a time, and the rows of a block: of all ways but tiles.
struct Layout {
  size_t groups, part, step, rows;
  size_t words;    // of 32 bits, that a group takes in scratch memory
  size_t columns;  // of the filters, whole panels
  bool plain;      // rows need no gathering, only converting: a part at a time

  explicit Layout(const Problem& p)
      : groups(groups_of(p.kind, p.conv.depth())),
        words(p.way == Way::kWidened ? 2 : 1),
        columns(count_panels(p.conv.filters) * kPanel),
        plain(im2row::is_plain(p.conv)) {
    part = (im2row::slice_of_depth(groups * words) + words - 1) / words;
    step = im2row::step_of((plain ? part : groups) * words);
    rows = im2row::rows_of_block(p.conv, step * sizeof(Group));
  }

  // Of scratch memory, in 32 bit words: the rows, and where there are several parts what the earlier ones'
  // sums are.
  size_t values() const { return rows * step; }
  size_t sums() const { return part < groups ? rows * columns : 0; }
};

// Converters for im2row: float32, bfloat16, or the Number that is multiplied -> how rows have it.
struct ToBfloat16 {
  using Number = std::uint16_t;
  using To = Number;
  explicit ToBfloat16(const Problem&) {}
  To* operator()(const To* from, size_t count, To* to) const { return std::copy_n(from, count, to); }
  std::uint16_t* operator()(const float* from, size_t count, std::uint16_t* to) const {
    return std::transform(from, from + count, to, to_bfloat16);
  }
  std::uint16_t* zeros(size_t count, std::uint16_t* to) const { return std::fill_n(to, count, 0); }
};

struct ToUint8 {
  using Number = std::uint8_t;
  using To = Number;
  float inverse;
  int zero;
  explicit ToUint8(const Problem& p) : inverse(1 / p.input_scale), zero(p.input_zero) {}
  To* operator()(const To* from, size_t count, To* to) const { return std::copy_n(from, count, to); }
  std::uint8_t* operator()(const float* from, size_t count, std::uint8_t* to) const {
    return std::transform(from, from + count, to, [&](float v) { return to_uint8(v, inverse, zero); });
  }
  std::uint8_t* operator()(const std::uint16_t* from, size_t count, std::uint8_t* to) const {
    return std::transform(from, from + count, to,
                          [&](std::uint16_t v) { return to_uint8(from_bfloat16(v), inverse, zero); });
  }
  std::uint8_t* zeros(size_t count, std::uint8_t* to) const {
    return std::fill_n(to, count, static_cast<std::uint8_t>(zero));
  }
};

// Calls run(From()) with what x is made of.
template <class Convert, class Run>
void with_numbers_of(const Source& x, Run&& run) {
  const Format format = x.encoding.format;
  if (format == Format::kFloat32) return run(float());
  if (format == Format::kBfloat16) return run(std::uint16_t());
  run(typename Convert::Number());
}

// Computes blocks [first, last) without vectors, by vectors of any processor, or by AVX-512, on vectors or on
// tiles. REQUIRES of these: has_vectors(p.kind).
bool has_vectors(Kind kind);
void run_plainly(const Problem& p, int first, int last, float* scratch);
void run_widened(const Problem& p, int first, int last, float* scratch);
void run_vectors(const Problem& p, int first, int last, float* scratch);
void run_tiles(const Problem& p, int first, int last, float* scratch);

}  // namespace caffe2rt::dot_conv
