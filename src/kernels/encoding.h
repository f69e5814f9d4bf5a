// Arrays in the formats in which convolutions read and write numbers. What the layers of a net hand each
// other may have fewer bits than float32: half or a quarter of the memory to go through.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace caffe2rt {

enum class Format {
  kFloat32,
  kBfloat16,  // the upper half of a float32, as uint16
  kUint8,     // q stands for scale * (q - zero)
};

inline size_t size_of(Format format) {
  return format == Format::kFloat32 ? sizeof(float) : format == Format::kBfloat16 ? 2 : 1;
}

// Round to nearest even; NaN stays one.
inline std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

// Round to nearest even; what is out of range becomes its end, what is not a number the lower one.
inline std::uint8_t to_uint8(float value, float inverse, int zero) {
  const float q = std::nearbyint(value * inverse) + static_cast<float>(zero);
  return static_cast<std::uint8_t>(q > 0 ? std::min(q, 255.0F) : 0);
}

// What the numbers of an array are.
struct Encoding {
  Format format = Format::kFloat32;
  float scale = 1;  // of kUint8
  int zero = 0;

  bool operator==(const Encoding&) const = default;
};

// An array that is read; or none. One of float32 is its pointer.
struct Source {
  const void* data = nullptr;
  Encoding encoding;

  Source() = default;
  Source(const float* floats) : data(floats) {}  // NOLINT(google-explicit-constructor)
  Source(const void* first, const Encoding& of) : data(first), encoding(of) {}

  explicit operator bool() const { return data != nullptr; }
  // REQUIRES: T is float, std::uint16_t or std::uint8_t, as the format says.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  const float* floats() const { return as<float>(); }
  // From number i on.
  Source from(size_t i) const {
    return {static_cast<const char*>(data) + i * size_of(encoding.format), encoding};
  }

  float operator[](size_t i) const {
    switch (encoding.format) {
      case Format::kBfloat16:
        return from_bfloat16(as<std::uint16_t>()[i]);
      case Format::kUint8:
        return encoding.scale * static_cast<float>(as<std::uint8_t>()[i] - encoding.zero);
      case Format::kFloat32:
        break;
    }
    return floats()[i];
  }
};

// An array that is written. One of float32 is its pointer.
struct Target {
  void* data = nullptr;
  Encoding encoding;

  Target() = default;
  Target(float* floats) : data(floats) {}  // NOLINT(google-explicit-constructor)
  Target(void* first, const Encoding& of) : data(first), encoding(of) {}

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  float* floats() const { return as<float>(); }
  Target from(size_t i) const { return {static_cast<char*>(data) + i * size_of(encoding.format), encoding}; }

  void set(size_t i, float value) const {
    switch (encoding.format) {
      case Format::kBfloat16:
        as<std::uint16_t>()[i] = to_bfloat16(value);
        return;
      case Format::kUint8:
        as<std::uint8_t>()[i] = to_uint8(value, 1 / encoding.scale, encoding.zero);
        return;
      case Format::kFloat32:
        break;
    }
    floats()[i] = value;
  }
};

}  // namespace caffe2rt
