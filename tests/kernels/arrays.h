// Arrays for tests of kernels: on boundaries of lines of the caches, as tensors are.
#pragma once

#include <cstddef>
#include <new>
#include <random>
#include <vector>

#include "kernels/encoding.h"

namespace caffe2rt {

template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* memory, size_t) { ::operator delete(memory, kAlignment); }
  bool operator==(const AlignedAllocator&) const = default;
};

template <class T>
using Aligned = std::vector<T, AlignedAllocator<T>>;

// Normally distributed numbers, for one seed the same.
inline Aligned<float> noise(size_t count, int seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Aligned<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

// What a number becomes in an array of a format.
inline float encoded(float value, const Encoding& encoding) {
  float memory = 0;
  Target(&memory, encoding).set(0, value);
  return Source(&memory, encoding)[0];
}

// An array in any format.
class Encoded {
 public:
  Source write(const Aligned<float>& values, const Encoding& encoding) {
    memory_.assign(values.size(), 0);
    for (size_t i = 0; i < values.size(); i++) Target(memory_.data(), encoding).set(i, values[i]);
    encoding_ = encoding;
    return {memory_.data(), encoding};
  }
  Source source() const { return {memory_.data(), encoding_}; }
  Target target() { return {memory_.data(), encoding_}; }

 private:
  Aligned<float> memory_;
  Encoding encoding_;
};

}  // namespace caffe2rt
