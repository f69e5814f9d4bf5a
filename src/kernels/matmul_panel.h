// How the packed weights of a matrix product lie in memory: in panels of as many columns as a tile of the
// processor's vectors has, each a row of the depth after the other. Of wider panels a tile would read only
// some of the lines, which then share few sets of the nearest cache.
#pragma once

#include <cstddef>

namespace caffe2rt::matmul {

// A panel's columns with the widest vectors. There are so many columns or a multiple, those that are no
// filter's being zero: packed weights take the same memory with all vectors.
constexpr std::size_t kWidestPanel = 32;

// Columns of a panel with the vectors that kernels/matmul-inl.h is going to multiply by.
std::size_t panel_width();

// `filters` rounded up.
inline std::size_t count_columns(std::size_t filters) {
  return (filters + kWidestPanel - 1) / kWidestPanel * kWidestPanel;
}

}  // namespace caffe2rt::matmul
