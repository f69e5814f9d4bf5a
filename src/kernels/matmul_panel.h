// How the packed weights of a matrix product lie in memory: panels of so many columns, whatever the vector
// width.
#pragma once

#include <cstddef>

namespace caffe2rt::matmul {

constexpr std::size_t kPanel = 32;

}  // namespace caffe2rt::matmul
