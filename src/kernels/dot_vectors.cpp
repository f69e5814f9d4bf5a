// Sums of products on vectors: AVX-512 with BF16 or VNNI.
#include "kernels/dot_rows.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/dot_finish.h"

namespace caffe2rt::dot_conv {
namespace {

// What the sums of a tile begin with, and where they go; from one row to the next.
struct Sums {
  const float* begin;
  float* end;
  size_t begin_step, end_step;
};

// kHeight rows by kWidth vectors.
template <class Dot, int kHeight, int kWidth>
CAFFE2RT_AVX512 void multiply_tile(const Group* a, size_t step, const Group* panel, size_t groups,
                                   const Sums& sums) {
  typename Dot::Sum sum[kHeight][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) sum[r][v] = Dot::load(sums.begin + r * sums.begin_step + v * 16);
  for (size_t k = 0; k < groups; k++) {
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
#pragma GCC unroll 16
  for (int r = 0; r < kHeight; r++)
#pragma GCC unroll 2
    for (int v = 0; v < kWidth; v++) Dot::store(sum[r][v], sums.end + r * sums.end_step + v * 16);
}

constexpr size_t kRows = 14;  // of a tile at most: as many as keep all sums in registers

template <class Dot, int kWidth>
constexpr auto tiles_by_height = by_height<kRows>([]<size_t kHeight> {
  return &multiply_tile<Dot, kHeight, kWidth>;
});

// A line for each of the results of a tile that will soon be written.
void expect(const Problem& p, size_t row, size_t rows, size_t m) {
  for (size_t r = 0; r < rows; r++) {
    const auto* y = static_cast<const char*>(p.conv.y.from(p.conv.offset(row) + r * p.conv.step() + m).data);
    _mm_prefetch(y, _MM_HINT_T0);
    if (p.conv.y.encoding.format == Format::kFloat32) _mm_prefetch(y + 64, _MM_HINT_T0);
  }
}

template <class Dot, class Converter>
struct Kernel {
  using Convert = Converter;
  static constexpr size_t kRows = dot_conv::kRows;

  static void multiply_panel(const Problem& p, const Layout& layout, const Slice& slice, Rows rows, size_t m,
                             bool past_caches) {
    const Group* panel = static_cast<const Group*>(p.packed) + (m * layout.groups + slice.begin * kPanel);
    static constexpr float kZeros[kPanel] = {};
    alignas(64) float local[kRows * kPanel];
    while (rows.count > 0) {
      const size_t height = next_height(rows.count, kRows);
      float* kept = rows.sums + m;
      const Sums sums{slice.first ? kZeros : kept, slice.last ? local : kept,
                      slice.first ? 0 : layout.columns, slice.last ? kPanel : layout.columns};
      if (slice.last && !past_caches) expect(p, rows.first, height, m);
      const auto& tiles = p.conv.filters - m > kPanel / 2 ? tiles_by_height<Dot, 2> : tiles_by_height<Dot, 1>;
      tiles[height - 1](rows.a, rows.step, panel, slice.groups, sums);
      if (slice.last) finish_rows<Dot>(p, local, rows.residual, rows.first, height, m, past_caches);
      rows.skip(p, layout, height);
    }
  }
};

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
    run_by_rows<Kernel<DotBfloat16, FastBfloat16>>(p, first, last, scratch);
  else
    run_by_rows<Kernel<DotInt8, FastUint8>>(p, first, last, scratch);
  _mm_sfence();
}

}  // namespace caffe2rt::dot_conv

#else

namespace caffe2rt::dot_conv {
bool has_vectors(Kind) { return false; }
void run_vectors(const Problem&, int, int, float*) {}
}  // namespace caffe2rt::dot_conv

#endif
