#include "kernels/dot_conv.h"

#include <cstring>

#include "kernels/dot_layout.h"
#include "kernels/tile_layout.h"

namespace caffe2rt::dot_conv {
namespace {

inline float finish(const Problem& p, float sum, size_t row, size_t m) {
  const matmul_conv::Problem& conv = p.conv;
  if (conv.bias) sum += conv.bias[m];
  if (conv.residual) sum += conv.residual_of(row)[m];
  return conv.relu && !(sum > 0) ? 0 : sum;
}

// Any processor: one sum at a time.
template <class From, class Convert>
void run_plainly(const Problem& p, int first, int last, float* scratch) {
  using T = typename Convert::To;
  const Layout layout(p);
  const size_t depth = p.conv.depth(), group = group_of(p.kind);
  const Convert convert(p);
  T* values = reinterpret_cast<T*>(scratch);
  for (int block = first; block < last; block++)
    for (size_t r = 0; r < layout.rows; r++) {
      const size_t row = static_cast<size_t>(block) * layout.rows + r;
      if (row >= p.conv.rows()) return;
      im2row::gather<From>(p.conv, row, 1, convert, values, 0);
      for (size_t m = 0; m < static_cast<size_t>(p.conv.filters); m++) {
        const size_t column = m / kPanel * layout.groups * kPanel + m % kPanel;
        const auto at = [&](size_t k) { return (column + k / group * kPanel) * group + k % group; };
        float y = 0;
        if constexpr (sizeof(T) == 2) {
          const auto* w = static_cast<const std::uint16_t*>(p.packed);
          float sum = 0;
          for (size_t k = 0; k < depth; k++) sum += from_bfloat16(values[k]) * from_bfloat16(w[at(k)]);
          y = finish(p, sum, row, m);
        } else {
          const auto* w = static_cast<const std::int8_t*>(p.packed);
          std::int32_t sum = p.offsets[m];
          for (size_t k = 0; k < depth; k++) sum += values[k] * w[at(k)];
          y = finish(p, static_cast<float>(sum) * p.scales[m], row, m);
        }
        p.conv.y.set(p.conv.offset(row) + m, y);
      }
      p.conv.activate(row, 1);
    }
}

template <class Convert>
void run_plainly(const Problem& p, int first, int last, float* scratch) {
  with_numbers_of<Convert>(
      p.conv.x, [&](auto number) { run_plainly<decltype(number), Convert>(p, first, last, scratch); });
}

template <class T, class Convert>
void pack(Kind kind, const T* filter, size_t filters, size_t channels, size_t window, Convert convert,
          void* packed) {
  using To = decltype(convert(T()));
  const size_t group = group_of(kind), groups = groups_of(kind, channels * window);
  std::memset(packed, 0, packed_size(kind, channels * window, filters));
  auto* to = static_cast<To*>(packed);
  for (size_t m = 0; m < filters; m++)
    for (size_t i = 0; i < window; i++)
      for (size_t c = 0; c < channels; c++) {
        const size_t k = i * channels + c;
        to[((m / kPanel * groups + k / group) * kPanel + m % kPanel) * group + k % group] =
            convert(filter[(m * channels + c) * window + i]);
      }
}

}  // namespace

void run_plainly(const Problem& p, int first, int last, float* scratch) {
  if (p.kind == Kind::kBfloat16)
    run_plainly<ToBfloat16>(p, first, last, scratch);
  else
    run_plainly<ToUint8>(p, first, last, scratch);
}

bool has(Way way, Kind kind) { return way == Way::kPlain || way == Way::kWidened || has_vectors(kind); }

Way fastest(Kind kind) {
  if (!has_vectors(kind)) return Way::kWidened;
  const bool tiles = kind == Kind::kBfloat16 ? tile_product::has_bfloat16() : tile_product::has_int8();
  return tiles ? Way::kTiles : Way::kVectors;
}

size_t packed_size(Kind kind, size_t depth, size_t filters) {
  // Tiles read beyond the end of a depth, what they multiply by zeros.
  const size_t beyond = tile_product::kStep - 1;
  return (groups_of(kind, depth) * count_panels(filters) + beyond) * kPanel * sizeof(Group);
}

void pack_bfloat16(const float* filter, size_t filters, size_t channels, size_t window, void* packed) {
  pack(Kind::kBfloat16, filter, filters, channels, window, to_bfloat16, packed);
}

void pack_int8(const std::int8_t* filter, size_t filters, size_t channels, size_t window, void* packed) {
  pack(
      Kind::kInt8, filter, filters, channels, window, [](std::int8_t v) { return v; }, packed);
}

int count_blocks(const Problem& problem) {
  if (problem.way == Way::kTiles) return TileLayout(problem).count_blocks(problem.conv);
  const size_t rows = Layout(problem).rows;
  return static_cast<int>((problem.conv.rows() + rows - 1) / rows);
}

size_t scratch_size(const Problem& problem) {
  if (problem.way == Way::kTiles) return TileLayout(problem).scratch_size();
  const Layout layout(problem);
  // The plain way gathers a whole row.
  return std::max(layout.values() + layout.sums() + im2row::residual_size(problem.conv, layout.rows),
                  im2row::step_of(layout.groups));
}

void run(const Problem& problem, int first, int last, float* scratch) {
  switch (problem.way) {
    case Way::kTiles:
      return run_tiles(problem, first, last, scratch);
    case Way::kVectors:
      return run_vectors(problem, first, last, scratch);
    case Way::kWidened:
      return run_widened(problem, first, last, scratch);
    case Way::kPlain:
      break;
  }
  run_plainly(problem, first, last, scratch);
}

}  // namespace caffe2rt::dot_conv
