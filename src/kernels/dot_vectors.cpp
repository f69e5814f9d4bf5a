// Sums of products on vectors: AVX-512 with BF16 or VNNI.
#include "kernels/dot_layout.h"
#include "kernels/tile_heights.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/dot_avx512.h"

namespace caffe2rt::dot_conv {
namespace {

struct Slice {
  size_t begin, groups;
  bool first, last;
};

// kHeight rows by kWidth vectors. Sums of a slice that is not the last lie in the output, bit by bit.
template <class Dot, int kHeight, int kWidth, Columns kColumns>
CAFFE2RT_AVX512 void multiply_tile(const Problem& p, const Group* a, size_t step, const Group* panel,
                                   const float* residual, const Slice& slice, size_t row, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  const size_t step_y = conv.step();
  const size_t left = std::min<size_t>(conv.filters - m, kPanel);
  const Vector<kColumns> vectors[2] = {{first_lanes(left)}, {first_lanes(left > 16 ? left - 16 : 0)}};
  float* y = conv.y + conv.offset(row) + m;
  typename Dot::Sum sum[kHeight][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) {
      if constexpr (kColumns != Columns::kPastCaches)
        _mm_prefetch(reinterpret_cast<const char*>(y + r * step_y + v * 16), _MM_HINT_T0);
      sum[r][v] = slice.first ? Dot::begin(p, m + v * 16, vectors[v])
                              : Dot::from_bits(vectors[v].load(y + r * step_y + v * 16));
    }
  for (size_t k = 0; k < slice.groups; k++) {
    __m512i b[kWidth];
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) b[v] = _mm512_load_si512(panel + k * kPanel + v * 16);
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++) {
      const __m512i x = _mm512_set1_epi32(a[r * step + k]);
#pragma GCC unroll 2
      for (int v = 0; v < kWidth; v++) sum[r][v] = Dot::dot(sum[r][v], x, b[v]);
    }
  }
  if (!slice.last) {
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
      for (int v = 0; v < kWidth; v++) vectors[v].store(Dot::to_bits(sum[r][v]), y + r * step_y + v * 16);
    return;
  }
#pragma GCC unroll 2
  for (int v = 0; v < kWidth; v++) {
    const __m512 bias = conv.bias ? vectors[v].load(conv.bias + m + v * 16) : _mm512_setzero_ps();
#pragma GCC unroll 16
    for (int r = 0; r < kHeight; r++) {
      __m512 value = _mm512_add_ps(Dot::value(p, sum[r][v], m + v * 16, vectors[v]), bias);
      if (residual) value = _mm512_add_ps(value, vectors[v].load(residual + r * step_y + m + v * 16));
      if (conv.relu) value = _mm512_max_ps(value, _mm512_setzero_ps());
      vectors[v].store(value, y + r * step_y + v * 16);
    }
  }
}

constexpr size_t kRows = 14;  // of a tile at most: as many as keep all sums in registers

template <class Dot, int kWidth, Columns kColumns>
constexpr auto tiles_by_height = by_height<kRows>([]<size_t kHeight> {
  return &multiply_tile<Dot, kHeight, kWidth, kColumns>;
});

template <class Dot, int kWidth, Columns kColumns>
void multiply_column(const Problem& p, const Group* a, size_t step, const Group* panel, const float* residual,
                     const Slice& slice, size_t row, size_t rows, size_t m) {
  for (size_t height = 0; rows > 0; rows -= height, row += height) {
    height = next_height(rows, kRows);
    tiles_by_height<Dot, kWidth, kColumns>[height - 1](p, a, step, panel, residual, slice, row, m);
    a += height * step;
    if (residual) residual += height * p.conv.step();
  }
}

// All columns of some rows. `residual`: of these rows, or null.
template <class Dot>
void multiply_columns(const Problem& p, const Group* a, size_t step, const float* residual,
                      const Layout& layout, const Slice& slice, size_t row, size_t rows) {
  const size_t filters = p.conv.filters;
  const bool past_caches = slice.first && slice.last && p.conv.past_caches();
  for (size_t m = 0; m < filters; m += kPanel) {
    const Group* panel = static_cast<const Group*>(p.packed) + (m * layout.groups + slice.begin * kPanel);
    if (past_caches && filters - m >= kPanel)
      multiply_column<Dot, 2, Columns::kPastCaches>(p, a, step, panel, residual, slice, row, rows, m);
    else if (filters - m >= kPanel)
      multiply_column<Dot, 2, Columns::kWhole>(p, a, step, panel, residual, slice, row, rows, m);
    else if (filters - m > kPanel / 2)
      multiply_column<Dot, 2, Columns::kPart>(p, a, step, panel, residual, slice, row, rows, m);
    else
      multiply_column<Dot, 1, Columns::kPart>(p, a, step, panel, residual, slice, row, rows, m);
  }
}

// T: the numbers of the rows.
template <class Dot, class T, class Convert>
void run_by_vectors(const Problem& p, int first, int last, float* scratch) {
  const Layout layout(p);
  const Convert convert(p);
  const size_t group = group_of(p.kind), depth = p.conv.depth();
  // Few weights stay near the processor while rows are written one after the other; many are read once a
  // block.
  constexpr size_t kFew = 200 * 1024 / sizeof(Group);
  const bool few = layout.part * count_panels(p.conv.filters) * kPanel <= kFew;
  T* values = reinterpret_cast<T*>(scratch);
  const size_t value_step = layout.step * group;
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * layout.rows,
                 rows = std::min(layout.rows, p.conv.rows() - row);
    if (!layout.plain) im2row::gather(p.conv, row, rows, convert, values, value_step);
    const float* residual = im2row::expand_residual(p.conv, row, rows, scratch + layout.rows * layout.step);
    for (size_t k = 0; k < layout.groups; k += layout.part) {
      const Slice slice{k, std::min(layout.part, layout.groups - k), k == 0,
                        k + layout.part >= layout.groups};
      if (layout.plain)
        im2row::copy_rows(p.conv, row, rows, k * group, std::min(slice.groups * group, depth - k * group),
                          convert, values, value_step);
      // Of a group that the depth ends in, the rest is multiplied by zeros, and must be numbers itself.
      if (slice.last && depth % group != 0)
        for (size_t r = 0; r < rows; r++)
          std::fill_n(values + r * value_step + depth - (layout.plain ? k * group : 0), group - depth % group,
                      T());
      const Group* a = reinterpret_cast<const Group*>(scratch) + (layout.plain ? 0 : k);
      for (size_t r = 0, count = 0; r < rows; r += count) {
        count = p.conv.on_line(row + r, few ? next_height(rows - r, kRows) : rows - r);
        multiply_columns<Dot>(p, a + r * layout.step, layout.step,
                              residual ? residual + r * p.conv.filters : nullptr, layout, slice, row + r,
                              count);
        if (slice.last) p.conv.activate(row + r, count);
      }
    }
  }
}

}  // namespace

bool has_vectors(Kind kind) {
  static const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  static const bool bfloat16 = avx512 && __builtin_cpu_supports("avx512bf16");
  static const bool int8 = avx512 && __builtin_cpu_supports("avx512vnni");
  return kind == Kind::kBfloat16 ? bfloat16 : int8;
}

void run_vectors(const Problem& p, int first, int last, float* scratch) {
  if (p.kind == Kind::kBfloat16)
    run_by_vectors<DotBfloat16, std::uint16_t, FastBfloat16>(p, first, last, scratch);
  else
    run_by_vectors<DotInt8, std::uint8_t, FastUint8>(p, first, last, scratch);
  _mm_sfence();
}

}  // namespace caffe2rt::dot_conv

#else

namespace caffe2rt::dot_conv {
bool has_vectors(Kind) { return false; }
void run_vectors(const Problem&, int, int, float*) {}
}  // namespace caffe2rt::dot_conv

#endif
