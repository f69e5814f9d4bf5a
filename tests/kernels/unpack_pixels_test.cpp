#include "kernels/unpack_pixels.h"

#include <memory>

#include "kernels/targets.h"

namespace caffe2rt {
namespace {

class UnpackRow : public WithTarget {};
EVERY_TARGET(UnpackRow);

TEST_P(UnpackRow, PutsSamplesInTheOrderWanted) {
  const std::uint8_t bgr[] = {1, 2, 3, 4, 5, 6}, bgrx[] = {1, 2, 3, 99, 4, 5, 6, 99};
  struct Case {
    PixelFormat format;
    const std::uint8_t* data;
    bool rgb, reversed;
  };
  for (const auto& [format, data, rgb, reversed] : {Case{PixelFormat::kBgr, bgr, false, false},
                                                    {PixelFormat::kBgr, bgr, true, true},
                                                    {PixelFormat::kRgb, bgr, false, true},
                                                    {PixelFormat::kRgb, bgr, true, false},
                                                    {PixelFormat::kBgrx, bgrx, false, false},
                                                    {PixelFormat::kBgrx, bgrx, true, true},
                                                    {PixelFormat::kRgbx, bgrx, false, true},
                                                    {PixelFormat::kRgbx, bgrx, true, false}}) {
    std::vector<std::uint8_t> pixels(unpacked_row_size(2));
    unpack_row({format, 2, 1, 8, data}, 0, rgb, pixels.data());
    for (int x = 0; x < 2; x++)
      for (int c = 0; c < 3; c++)
        EXPECT_EQ(pixels[x * 4 + c], 1 + x * 3 + (reversed ? 2 - c : c)) << "pixel " << x << ", sample " << c;
  }
}

// The frame's last byte is the last of its memory: reads beyond it show under AddressSanitizer.
TEST_P(UnpackRow, TakesRowsOfEveryWidth) {
  for (const auto format : {PixelFormat::kBgr, PixelFormat::kRgbx, PixelFormat::kGray})
    for (int width = 1; width < 40; width++) {
      const int step = bytes_per_pixel(format), stride = width * step + 3, size = stride + width * step;
      const auto bytes = std::make_unique<std::uint8_t[]>(size);
      for (int i = 0; i < size; i++) bytes[i] = static_cast<std::uint8_t>(i * 7);
      const auto pixels = std::make_unique<std::uint8_t[]>(unpacked_row_size(width));
      unpack_row({format, width, 2, stride, bytes.get()}, 1, format != PixelFormat::kBgr, pixels.get());
      for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++)
          ASSERT_EQ(pixels[x * 4 + c], bytes[stride + x * step + (step == 1 ? 0 : c)]) << width << ' ' << x;
    }
}

}  // namespace
}  // namespace caffe2rt
