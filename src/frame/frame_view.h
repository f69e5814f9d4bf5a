// FrameView: the pixels of one video frame or image, owned by somebody else for as long as the view is used.
// Rows may be padded; pixels are 8 bits a sample, origin top left.
#pragma once

#include <cstddef>
#include <cstdint>

namespace caffe2rt {

// Order of the samples of one pixel in memory; x is a padding byte.
enum class PixelFormat { kBgr, kRgb, kBgrx, kRgbx, kGray };

// Bytes a pixel takes.
constexpr int bytes_per_pixel(PixelFormat format) {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return 3;
    case PixelFormat::kBgrx:
    case PixelFormat::kRgbx:
      return 4;
    case PixelFormat::kGray:
      return 1;
  }
  return 0;
}

struct FrameSize {
  int height = 0, width = 0;  // pixels
  bool operator==(const FrameSize&) const = default;
};

struct FrameView {
  PixelFormat format = PixelFormat::kBgr;
  int width = 0;              // pixels
  int height = 0;             // pixels
  std::ptrdiff_t stride = 0;  // bytes from one row to the next, at least width * bytes_per_pixel(format)
  const std::uint8_t* data = nullptr;

  const std::uint8_t* row(int y) const { return data + y * stride; }
};

}  // namespace caffe2rt
