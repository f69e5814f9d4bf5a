#include "kernels/unpack_pixels.h"

#include <algorithm>
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

// Planes of chroma samples that are not those of another place.
struct YuvFrame {
  std::vector<std::uint8_t> luma, chroma;
  FrameView view;

  // Interleaved as in NV12, or one plane after the other as in I420.
  YuvFrame(int width, int height, bool interleaved) {
    const int columns = (width + 1) / 2, rows = (height + 1) / 2;
    luma.resize(width * height);
    chroma.resize(2 * columns * rows);
    std::uint32_t state = 1;
    for (auto* plane : {&luma, &chroma})
      for (auto& sample : *plane)
        sample = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    view = {PixelFormat::kYuv420, width, height, width, luma.data()};
    view.yuv.u = chroma.data();
    view.yuv.v = chroma.data() + (interleaved ? 1 : columns * rows);
    view.yuv.stride = interleaved ? 2 * columns : columns;
    view.yuv.step = interleaved ? 2 : 1;
  }

  int chroma_at(const std::uint8_t* plane, int column, int row) const {
    column = std::clamp(column, 0, (view.width + 1) / 2 - 1);
    row = std::clamp(row, 0, (view.height + 1) / 2 - 1);
    return plane[row * view.yuv.stride + column * view.yuv.step];
  }
  int along_row(const std::uint8_t* plane, int x, int row) const {
    const int own = chroma_at(plane, x / 2, row);
    const int right = chroma_at(plane, x / 2 + 1, row);
    if (view.yuv.columns == ChromaFilter::kBetween)
      return (3 * own + (x % 2 == 1 ? right : chroma_at(plane, x / 2 - 1, row)) + 2) / 4;
    return view.yuv.columns == ChromaFilter::kCosited && x % 2 == 1 ? (own + right + 1) / 2 : own;
  }
  int chroma_of_pixel(const std::uint8_t* plane, int x, int y) const {
    const int own = along_row(plane, x, y / 2);
    if (!view.yuv.rows_between) return own;
    return (3 * own + along_row(plane, x, y % 2 == 1 ? y / 2 + 1 : y / 2 - 1) + 2) / 4;
  }
  int sample(int x, int y, int channel) const {  // of red, green, blue
    const auto part = [](int level, int factor) {
      const int high = level - 128, low = (level + 128) % 256;
      return ((256 * high + low) * factor) >> 16;
    };
    const YuvMatrix& m = view.yuv.matrix;
    const int u = chroma_of_pixel(view.yuv.u, x, y), v = chroma_of_pixel(view.yuv.v, x, y);
    const int sum =
        part(view.row(y)[x], m.luma) + (channel == 0   ? part(v, m.red_of_v)
                                        : channel == 1 ? part(u, m.green_of_u) + part(v, m.green_of_v)
                                                       : part(u, m.blue_of_u));
    return std::clamp(sum + 128, 0, 255);
  }
};

TEST_P(UnpackRow, MakesColoursOfLumaAndChroma) {
  // The middle of all is grey; 235 - 128 is 107, and 107 * 257 * 298 >> 16 is 125; 240 - 128 is 112, and
  // 112 * 257 * 409 >> 16 is 179; 16 - 128 is -112, and (-112 * 256 + 144) * 298 >> 16 is -130.
  const std::uint8_t luma[] = {128, 235, 16, 235}, chroma[] = {128, 128, 128, 240};
  FrameView frame{PixelFormat::kYuv420, 4, 1, 4, luma};
  frame.yuv.u = chroma;
  frame.yuv.v = chroma + 1;
  frame.yuv.stride = 4;
  frame.yuv.step = 2;
  std::vector<std::uint8_t> pixels(unpacked_row_size(4));
  unpack_row(frame, 0, true, pixels.data());
  const int expected[][3] = {{128, 128, 128}, {253, 253, 253}, {177, 0, 0}, {255, 161, 253}};
  for (int x = 0; x < 4; x++)
    for (int c = 0; c < 3; c++)
      EXPECT_EQ(pixels[x * 4 + c], expected[x][c]) << "pixel " << x << ", sample " << c;
}

TEST_P(UnpackRow, BringsChromaToPixelsByItsSite) {
  for (const auto filter : {ChromaFilter::kNearest, ChromaFilter::kBetween, ChromaFilter::kCosited})
    for (const bool rows_between : {false, true})
      for (const bool interleaved : {false, true})
        for (const auto& [width, height] : {std::pair{1, 1},
                                            {2, 2},
                                            {3, 5},
                                            {34, 6},
                                            {127, 3},
                                            {129, 2},
                                            {511, 2},
                                            {512, 3},
                                            {513, 2},
                                            {1100, 2}}) {
          YuvFrame frame(width, height, interleaved);
          frame.view.yuv.columns = filter;
          frame.view.yuv.rows_between = rows_between;
          frame.view.yuv.matrix = yuv_matrix(0.2126, 0.0722, rows_between);
          std::vector<std::uint8_t> pixels(unpacked_row_size(width));
          for (int y = 0; y < height; y++) {
            const bool rgb = y % 2 == 0;
            unpack_row(frame.view, y, rgb, pixels.data());
            for (int x = 0; x < width; x++)
              for (int c = 0; c < 3; c++)
                ASSERT_EQ(pixels[x * 4 + (rgb ? c : 2 - c)], frame.sample(x, y, c))
                    << width << 'x' << height << " at " << x << ',' << y << ", sample " << c;
          }
        }
}

TEST(YuvMatrix, IsThatOfTheStandards) {
  const YuvMatrix limited = yuv_matrix(0.299, 0.114, false), full = yuv_matrix(0.2126, 0.0722, true);
  EXPECT_EQ(limited.luma, 298);       // 255 / 219
  EXPECT_EQ(limited.red_of_v, 409);   // 1.402 * 255 / 224
  EXPECT_EQ(limited.blue_of_u, 516);  // 1.772 * 255 / 224
  EXPECT_EQ(limited.green_of_u, -100);
  EXPECT_EQ(limited.green_of_v, -208);
  EXPECT_EQ(full.luma, 256);
  EXPECT_EQ(full.red_of_v, 403);   // 1.5748
  EXPECT_EQ(full.blue_of_u, 475);  // 1.8556
  EXPECT_EQ(full.green_of_u, -48);
  EXPECT_EQ(full.green_of_v, -120);
}

}  // namespace
}  // namespace caffe2rt
