// Outputs that are written past the caches: those that will not be in them any more when they are read, and
// are made of whole lines. Otherwise each line would be read before it is written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace caffe2rt {

constexpr size_t kLineFloats = 16;  // of a line of the caches, and of the widest vectors

// y: `count` floats, `step` of them a pixel.
inline bool past_caches(const float* y, size_t count, size_t step) {
  constexpr size_t kLarge = (size_t{32} << 20) / sizeof(float);
  return count > kLarge && step % kLineFloats == 0 &&
         reinterpret_cast<std::uintptr_t>(y) % (kLineFloats * sizeof(float)) == 0;
}

}  // namespace caffe2rt
