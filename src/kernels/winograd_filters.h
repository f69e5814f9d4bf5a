// What of a filter Winograd's way multiplies: G g G^T, G of the paper, 3 -> 6 and 3 -> 8. See
// winograd_transforms-inl.h.
#pragma once

namespace caffe2rt::winograd {

using FilterRow = double[3];
constexpr FilterRow kSmallTile[6] = {{1. / 4, 0, 0},
                                     {-1. / 6, -1. / 6, -1. / 6},
                                     {-1. / 6, 1. / 6, -1. / 6},
                                     {1. / 24, 1. / 12, 1. / 6},
                                     {1. / 24, -1. / 12, 1. / 6},
                                     {0, 0, 1}};
constexpr FilterRow kLargeTile[8] = {{1, 0, 0},
                                     {-2. / 9, -2. / 9, -2. / 9},
                                     {-2. / 9, 2. / 9, -2. / 9},
                                     {1. / 90, 1. / 45, 2. / 45},
                                     {1. / 90, -1. / 45, 2. / 45},
                                     {32. / 45, 16. / 45, 8. / 45},
                                     {32. / 45, -16. / 45, 8. / 45},
                                     {0, 0, 1}};

inline const FilterRow* filter_rows(int tile) { return tile == 4 ? kSmallTile : kLargeTile; }

}  // namespace caffe2rt::winograd
