// What the ways to compute dot_conv.h share: how packed weights and rows lie in memory, and how numbers
// become smaller ones.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
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

// Which part of the depth, in groups, is summed at a time, and the rows of a block: of the plain way and of
// that by vectors.
struct Layout {
  size_t groups, part, step, rows;
  bool plain;  // rows need no gathering, only converting: a part at a time

  explicit Layout(const Problem& p)
      : groups(groups_of(p.kind, p.conv.depth())),
        part(im2row::slice_of_depth(groups)),
        plain(im2row::is_plain(p.conv)) {
    step = im2row::step_of(plain ? part : groups);
    rows = im2row::rows_of_block(p.conv, step * sizeof(Group));
  }
};

// Round to nearest even; NaN stays one.
inline std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// What is not a number becomes 0.
inline std::uint8_t to_uint8(float value, float inverse, int zero) {
  const float q = std::nearbyint(value * inverse) + static_cast<float>(zero);
  return static_cast<std::uint8_t>(q > 0 ? std::min(q, 255.0F) : 0);
}

// Converters for im2row: float32 -> numbers of the rows.
struct ToBfloat16 {
  explicit ToBfloat16(const Problem&) {}
  std::uint16_t* operator()(const float* from, size_t count, std::uint16_t* to) const {
    return std::transform(from, from + count, to, to_bfloat16);
  }
  std::uint16_t* zeros(size_t count, std::uint16_t* to) const { return std::fill_n(to, count, 0); }
};

struct ToUint8 {
  float inverse;
  int zero;
  explicit ToUint8(const Problem& p) : inverse(1 / p.input_scale), zero(p.input_zero) {}
  std::uint8_t* operator()(const float* from, size_t count, std::uint8_t* to) const {
    return std::transform(from, from + count, to, [&](float v) { return to_uint8(v, inverse, zero); });
  }
  std::uint8_t* zeros(size_t count, std::uint8_t* to) const {
    return std::fill_n(to, count, static_cast<std::uint8_t>(zero));
  }
};

// Computes blocks [first, last) by AVX-512, on vectors or on tiles. REQUIRES: has_vectors(p.kind).
bool has_vectors(Kind kind);
void run_vectors(const Problem& p, int first, int last, float* scratch);
void run_tiles(const Problem& p, int first, int last, float* scratch);

}  // namespace caffe2rt::dot_conv
