#include "kernels/frame_pixel.h"

#include <algorithm>
#include <random>
#include <vector>

#include "kernels/targets.h"
#include "kernels/unpack_pixels.h"

namespace caffe2rt {
namespace {

using FramePixel = WithTarget;

// Every pixel of a frame is what rows of it are unpacked to, whatever the vector width.
void expect_same(const FrameView& frame) {
  std::vector<std::uint8_t> row(unpacked_row_size(frame.width));
  for (int y = 0; y < frame.height; y++) {
    unpack_row(frame, y, /*rgb=*/true, row.data());
    for (int x = 0; x < frame.width; x++) {
      const Rgb pixel = pixel_of(frame, x, y);
      ASSERT_EQ(pixel.red, row[x * 4]) << x << ", " << y;
      ASSERT_EQ(pixel.green, row[x * 4 + 1]) << x << ", " << y;
      ASSERT_EQ(pixel.blue, row[x * 4 + 2]) << x << ", " << y;
    }
  }
}

std::vector<std::uint8_t> noise_bytes(size_t count) {
  std::vector<std::uint8_t> bytes(count);
  std::mt19937 generator(5);
  std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(generator()); });
  return bytes;
}

TEST_P(FramePixel, OfPackedFormats) {
  const auto bytes = noise_bytes(4096);
  for (const auto format :
       {PixelFormat::kBgr, PixelFormat::kRgb, PixelFormat::kBgrx, PixelFormat::kRgbx, PixelFormat::kGray})
    expect_same({format, 37, 11, 160, bytes.data()});
}

TEST_P(FramePixel, OfLumaWithChromaOfEveryKind) {
  const auto bytes = noise_bytes(8192);
  for (const auto filter : {ChromaFilter::kNearest, ChromaFilter::kBetween, ChromaFilter::kCosited})
    for (const bool between : {false, true})
      for (const int step : {1, 2})
        for (const int width : {38, 41}) {
          const Yuv yuv{.u = bytes.data() + 4096,
                        .v = bytes.data() + (step == 2 ? 4097 : 6000),
                        .stride = 50,
                        .step = step,
                        .columns = filter,
                        .rows_between = between,
                        .matrix = yuv_matrix(0.299, 0.114, step == 1)};
          expect_same({PixelFormat::kYuv420, width, 21, 64, bytes.data(), yuv});
        }
}

EVERY_TARGET(FramePixel);

}  // namespace
}  // namespace caffe2rt
