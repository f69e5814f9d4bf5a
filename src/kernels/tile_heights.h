// How the rows of a product are shared out among tiles. A tile of few rows waits for its own sums, so that
// there are as few tiles as can be, nearly equally high.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

namespace caffe2rt {

// The height of the next tile, at most `most` rows, where `rows` are left.
constexpr std::size_t next_height(std::size_t rows, std::size_t most) {
  if (rows <= most) return rows;
  const std::size_t tiles = (rows + most - 1) / most;
  return (rows + tiles - 1) / tiles;
}

// What `of`, a template's `function.template operator()<kHeight>()`, gives for the heights 1 to kMost:
// element kHeight - 1.
template <std::size_t kMost, class Of>
constexpr auto by_height(Of of) {
  return [of]<std::size_t... kLess>(std::index_sequence<kLess...>) {
    return std::array{of.template operator()<kLess + 1>()...};
  }
  (std::make_index_sequence<kMost>());
}

}  // namespace caffe2rt
