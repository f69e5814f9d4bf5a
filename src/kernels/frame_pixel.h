// One pixel of a video frame, whatever the format: what unpack_pixels.h does by rows and in vectors, for
// processors of all kinds. The same to the last bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "frame/frame_view.h"

namespace caffe2rt {

// Three quarters of one and one of the other, rounded.
CAFFE2RT_HD inline int three_to_one(int near, int far) { return (3 * near + far + 2) >> 2; }

// The chroma of a column of pixels: of its pair, and of the pairs on both sides. `right`: the right column of
// the pair.
CAFFE2RT_HD inline int filter_columns(int left_pair, int own, int right_pair, bool right,
                                      ChromaFilter filter) {
  if (filter == ChromaFilter::kBetween) return three_to_one(own, right ? right_pair : left_pair);
  return filter == ChromaFilter::kCosited && right ? (own + right_pair + 1) >> 1 : own;
}

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

// Fixed point of 16 bits; 128 is no colour.
CAFFE2RT_HD inline int times(int sample, int factor) {
  return (static_cast<std::int16_t>(((sample ^ 128) & 255) * 257) * factor) >> 16;
}
CAFFE2RT_HD inline std::uint8_t cut(int sum) {
  sum += 128;
  return static_cast<std::uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}
CAFFE2RT_HD inline Rgb to_rgb(int y, int u, int v, const YuvMatrix& m) {
  const int luma = times(y, m.luma);
  return {cut(luma + times(v, m.red_of_v)), cut(luma + times(u, m.green_of_u) + times(v, m.green_of_v)),
          cut(luma + times(u, m.blue_of_u))};
}

// A sample of a plane of chroma for pixel (x, y). Beyond the frame chroma continues as it ends.
CAFFE2RT_HD inline int chroma_of(const FrameView& frame, const std::uint8_t* plane, int x, int y) {
  const Yuv& yuv = frame.yuv;
  const int columns = (frame.width + 1) / 2, rows = (frame.height + 1) / 2, own = x / 2, row = y / 2;
  const int near = row, far = !yuv.rows_between ? row : y % 2 == 1 ? row + 1 : row - 1;
  const auto inside = [](int i, int count) { return i < 0 ? 0 : i >= count ? count - 1 : i; };
  const auto filtered = [&](int r) {
    const std::uint8_t* line = plane + static_cast<std::ptrdiff_t>(inside(r, rows)) * yuv.stride;
    const auto at = [&](int c) {
      return static_cast<int>(line[static_cast<std::ptrdiff_t>(inside(c, columns)) * yuv.step]);
    };
    return filter_columns(at(own - 1), at(own), at(own + 1), x % 2 == 1, yuv.columns);
  };
  return three_to_one(filtered(near), filtered(far));
}

CAFFE2RT_HD inline Rgb pixel_of(const FrameView& frame, int x, int y) {
  const std::uint8_t* row = frame.data + static_cast<std::ptrdiff_t>(y) * frame.stride;
  switch (frame.format) {
    case PixelFormat::kBgr:
      return {row[x * 3 + 2], row[x * 3 + 1], row[x * 3]};
    case PixelFormat::kRgb:
      return {row[x * 3], row[x * 3 + 1], row[x * 3 + 2]};
    case PixelFormat::kBgrx:
      return {row[x * 4 + 2], row[x * 4 + 1], row[x * 4]};
    case PixelFormat::kRgbx:
      return {row[x * 4], row[x * 4 + 1], row[x * 4 + 2]};
    case PixelFormat::kGray:
      return {row[x], row[x], row[x]};
    case PixelFormat::kYuv420:
      return to_rgb(row[x], chroma_of(frame, frame.yuv.u, x, y), chroma_of(frame, frame.yuv.v, x, y),
                    frame.yuv.matrix);
  }
  return {};
}

}  // namespace caffe2rt
