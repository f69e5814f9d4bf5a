// FrameView: the pixels of one video frame or image, owned by somebody else for as long as the view is used.
// Rows may be padded; samples are 8 bits, origin top left.
#pragma once

#include <cstddef>
#include <cstdint>

#include "frame/yuv.h"

namespace caffe2rt {

// Order of the samples of one pixel in memory; x is a padding byte. kYuv420 is NV12 and I420: luma, with a
// quarter of the samples of chroma elsewhere.
enum class PixelFormat { kBgr, kRgb, kBgrx, kRgbx, kGray, kYuv420 };

// Bytes a pixel takes in rows of `data`.
constexpr int bytes_per_pixel(PixelFormat format) {
  switch (format) {
    case PixelFormat::kBgr:
    case PixelFormat::kRgb:
      return 3;
    case PixelFormat::kBgrx:
    case PixelFormat::kRgbx:
      return 4;
    case PixelFormat::kGray:
    case PixelFormat::kYuv420:
      return 1;
  }
  return 0;
}

// Whose memory pixels are in.
enum class FrameMemory { kHost, kGpu };

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
  Yuv yuv = {};                             // of kYuv420
  FrameMemory memory = FrameMemory::kHost;  // of all that this points to

  const std::uint8_t* row(int y) const { return data + y * stride; }
};

}  // namespace caffe2rt
