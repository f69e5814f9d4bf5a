// How the ways that go by vectors walk through a product: blocks of rows, slices of the depth, panels of
// columns. For kernels that are compiled for one processor each: without vectors itself.
#pragma once

#include <algorithm>

#include "kernels/dot_layout.h"
#include "kernels/tile_heights.h"

namespace caffe2rt::dot_conv {

struct Slice {
  size_t begin, groups;
  bool first, last;
};

// Rows that lie one step apart in the output, from the output's row `first` on.
struct Rows {
  const Group* a;
  size_t step;
  Source residual;  // of these rows, or none
  float* sums;      // of all of the depth's slices so far, (rows,columns); where there are several
  size_t first, count;

  void skip(const Problem& p, const Layout& layout, size_t rows) {
    a += rows * step;
    if (residual) residual = residual.from(rows * p.conv.filters);
    sums += rows * layout.columns;
    first += rows;
    count -= rows;
  }
};

// Kernel has a Convert, the rows kRows of a tile at most, and multiply_panel(problem, layout, slice, rows, m,
// past_caches), which computes the columns of a panel, from m on. From: what x is made of.
template <class Kernel, class From>
void run_by_rows(const Problem& p, int first, int last, float* scratch) {
  using T = typename Kernel::Convert::To;
  const Layout layout(p);
  const typename Kernel::Convert convert(p);
  const size_t group = group_of(p.kind), depth = p.conv.depth();
  // Few weights stay near the processor while rows are written one after the other; many are read once a
  // block.
  constexpr size_t kFew = 200 * 1024 / sizeof(Group);
  const bool few = layout.part * layout.columns <= kFew;
  T* values = reinterpret_cast<T*>(scratch);
  float* sums = scratch + layout.values();
  const size_t value_step = layout.step * sizeof(Group) / sizeof(T);
  const bool past_caches = p.conv.past_caches();
  for (int block = first; block < last; block++) {
    const size_t row = static_cast<size_t>(block) * layout.rows,
                 rows = std::min(layout.rows, p.conv.rows() - row);
    if (!layout.plain) im2row::gather<From>(p.conv, row, rows, convert, values, value_step);
    const Source residual = im2row::expand_residual(p.conv, row, rows, sums + layout.sums());
    for (size_t k = 0; k < layout.groups; k += layout.part) {
      const Slice slice{k, std::min(layout.part, layout.groups - k), k == 0,
                        k + layout.part >= layout.groups};
      if (layout.plain)
        im2row::copy_rows<From>(p.conv, row, rows, k * group,
                                std::min(slice.groups * group, depth - k * group), convert, values,
                                value_step);
      // Of a group that the depth ends in, the rest is multiplied by zeros, and must be numbers itself.
      if (slice.last && depth % group != 0)
        for (size_t r = 0; r < rows; r++)
          std::fill_n(values + r * value_step + depth - (layout.plain ? k * group : 0), group - depth % group,
                      T());
      Rows left{reinterpret_cast<const Group*>(scratch) + (layout.plain ? 0 : k * layout.words),
                layout.step,
                residual,
                sums,
                row,
                rows};
      while (left.count > 0) {
        Rows some = left;
        some.count = p.conv.on_line(left.first, few ? next_height(left.count, Kernel::kRows) : left.count);
        for (size_t m = 0; m < static_cast<size_t>(p.conv.filters); m += kPanel)
          Kernel::multiply_panel(p, layout, slice, some, m, past_caches);
        if (slice.last) p.conv.activate(some.first, some.count);
        left.skip(p, layout, some.count);
      }
    }
  }
}

template <class Kernel>
void run_by_rows(const Problem& p, int first, int last, float* scratch) {
  with_numbers_of<typename Kernel::Convert>(
      p.conv.x, [&](auto number) { run_by_rows<Kernel, decltype(number)>(p, first, last, scratch); });
}

}  // namespace caffe2rt::dot_conv
