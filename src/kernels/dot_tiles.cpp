// Sums of products on tiles (tile_product.h).
#include <optional>

#include "kernels/dot_layout.h"
#include "kernels/tile_layout.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "kernels/dot_finish.h"

namespace caffe2rt::dot_conv {
namespace {

// Pixels [from, from + count) of the lines of an image with their padding, one after the other: converted,
// `step` numbers apart.
template <class From, class T, class Convert>
void convert_pixels(const matmul_conv::Problem& p, const TileLayout& layout, size_t image, size_t from,
                    size_t count, const Convert& convert, T* to, size_t step) {
  const size_t channels = p.channels;
  for (size_t q = from; q < from + count;) {
    const int line = static_cast<int>(q / layout.line) - p.pad_top,
              left = static_cast<int>(q % layout.line) - p.pad_left;
    const size_t end = std::min(from + count, q - q % layout.line + layout.line);
    const bool inside = line >= 0 && line < p.height;
    const From* pixels = p.x.as<From>() + (image * p.height + (inside ? line : 0)) * p.width * channels;
    for (int x = left; q < end; q++, x++, to += step)
      if (inside && x >= 0 && x < p.width)
        convert(pixels + x * channels, channels, to);
      else
        convert.zeros(channels, to);
  }
}

// The matrix's rows that a block multiplies -> scratch memory.
template <class From, class Convert, class T>
void convert_block(const Problem& p, const TileLayout& layout, const TileLayout::Block& block, T* values) {
  const Convert convert(p);
  const size_t step = layout.step * group_of(p.kind);
  if (layout.slides) {
    for (size_t i = 0; i < layout.segments(); i++)
      convert_pixels<From>(p.conv, layout, block.image, block.first + i * layout.line, layout.pixels(),
                           convert, values + i * layout.segment * step, step);
    return;
  }
  const size_t depth = p.conv.depth(), padded = layout.steps() * tile_product::kStep * group_of(p.kind);
  if (im2row::is_plain(p.conv))
    im2row::copy_rows<From>(p.conv, block.first, block.rows, 0, depth, convert, values, step);
  else
    im2row::gather<From>(p.conv, block.first, block.rows, convert, values, step);
  for (size_t r = 0; r < block.rows; r++) std::fill_n(values + r * step + depth, padded - depth, T());
}

template <class Dot>
void finish_block(const Problem& p, const TileLayout& layout, const TileLayout::Block& block,
                  const float* sums, size_t m, bool past_caches) {
  const bool halved = p.conv.residual && p.conv.residual_scale == 2;
  layout.for_each_run(p.conv, block, [&](size_t r, size_t row, size_t count) {
    const size_t step = halved ? 1 : count;  // rows whose residuals lie one step apart
    for (size_t i = 0; i < count; i += step)
      finish_rows<Dot>(p, sums + (r + i) * kPanel, p.conv.residual ? p.conv.residual_of(row + i) : Source(),
                       row + i, step, m, past_caches);
  });
}

// From: what x is made of.
template <class Dot, class Convert, class From>
void run_by_tiles(const Problem& p, int first, int last, float* scratch,
                  void (*multiply)(const tile_product::Problem&)) {
  using tile_product::kRows, tile_product::kStep;
  // A slice of a panel stays in the first level cache while a block's rows pass.
  constexpr size_t kSteps = 16;
  const TileLayout layout(p);
  const Group* a = reinterpret_cast<const Group*>(scratch);
  float* sums = scratch + layout.values();
  auto* offsets = reinterpret_cast<std::int32_t*>(sums + layout.sums());
  layout.write_offsets(p, offsets);
  const bool past_caches = p.conv.past_caches();
  for (int index = first; index < last; index++) {
    const TileLayout::Block block = layout.block(p.conv, index);
    convert_block<From, Convert>(p, layout, block, reinterpret_cast<typename Convert::To*>(scratch));
    for (size_t m = 0; m < static_cast<size_t>(p.conv.filters); m += kPanel) {
      const Group* panel = static_cast<const Group*>(p.packed) + m * layout.groups;
      for (size_t k = 0; k < layout.steps(); k += kSteps)
        for (size_t r = 0; r < block.rows; r += kRows)
          multiply({.a = a + r * layout.step,
                    .a_step = layout.step,
                    .offsets = offsets + k,
                    .b = panel + k * kStep * kPanel,
                    .steps = std::min(kSteps, layout.steps() - k),
                    .first = k == 0,
                    .sums = sums + r * kPanel});
      finish_block<Dot>(p, layout, block, sums, m, past_caches);
    }
    layout.for_each_run(p.conv, block,
                        [&](size_t, size_t row, size_t count) { p.conv.activate(row, count); });
  }
}

template <class Dot, class Convert>
void run_by_tiles(const Problem& p, int first, int last, float* scratch,
                  void (*multiply)(const tile_product::Problem&)) {
  with_numbers_of<Convert>(p.conv.x, [&](auto number) {
    run_by_tiles<Dot, Convert, decltype(number)>(p, first, last, scratch, multiply);
  });
}

}  // namespace

void run_tiles(const Problem& p, int first, int last, float* scratch) {
  const bool bfloat16 = p.kind == Kind::kBfloat16;
  const bool registers = bfloat16 ? tile_product::has_bfloat16() : tile_product::has_int8();
  std::optional<tile_product::Registers> in_use;
  if (registers) in_use.emplace();
  if (bfloat16)
    run_by_tiles<DotBfloat16, FastBfloat16>(
        p, first, last, scratch,
        registers ? tile_product::multiply_bfloat16 : tile_product::multiply_bfloat16_plainly);
  else
    run_by_tiles<DotInt8, FastUint8>(
        p, first, last, scratch,
        registers ? tile_product::multiply_int8 : tile_product::multiply_int8_plainly);
  _mm_sfence();
}

}  // namespace caffe2rt::dot_conv

#else

namespace caffe2rt::dot_conv {
void run_tiles(const Problem&, int, int, float*) {}
}  // namespace caffe2rt::dot_conv

#endif
