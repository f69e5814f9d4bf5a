#include "frame/rect.h"

#include <gtest/gtest.h>

#include <numeric>

namespace caffe2rt {
namespace {

TEST(FrameRect, IsCutToTheFrameAndBegunAtEvenPixels) {
  const FrameSize frame{.height = 10, .width = 20};
  EXPECT_EQ(fit_to_frame({3, 5, 4, 4}, frame), (FrameRect{2, 4, 5, 5}));
  EXPECT_EQ(fit_to_frame({-4, -2, 8, 20}, frame), (FrameRect{0, 0, 4, 10}));
  EXPECT_EQ(fit_to_frame({15, 0, 2147483647, 3}, frame), (FrameRect{14, 0, 6, 3}));
  EXPECT_TRUE(fit_to_frame({30, 0, 5, 5}, frame).empty());
  EXPECT_TRUE(fit_to_frame({4, 4, 0, 3}, frame).empty());
}

TEST(FrameRect, CropsPackedPixels) {
  std::vector<std::uint8_t> bytes(6 * 40);
  std::iota(bytes.begin(), bytes.end(), 0);
  FrameView frame{PixelFormat::kBgr, 10, 6, 40, bytes.data()};
  const FrameView part = crop(frame, {4, 2, 3, 2});
  EXPECT_EQ(part.width, 3);
  EXPECT_EQ(part.height, 2);
  EXPECT_EQ(*part.row(0), 2 * 40 + 4 * 3);
  EXPECT_EQ(*part.row(1), 3 * 40 + 4 * 3);
}

TEST(FrameRect, CropsChromaWithLuma) {
  std::vector<std::uint8_t> luma(8 * 8), chroma(4 * 8);
  for (const int step : {1, 2}) {
    FrameView frame{PixelFormat::kYuv420, 8, 8, 8, luma.data()};
    frame.yuv.u = chroma.data();
    frame.yuv.v = chroma.data() + 1;
    frame.yuv.stride = 8;
    frame.yuv.step = step;
    const FrameView part = crop(frame, {2, 4, 3, 3});
    EXPECT_EQ(part.data, luma.data() + 4 * 8 + 2);
    EXPECT_EQ(part.yuv.u, chroma.data() + 2 * 8 + step);
    EXPECT_EQ(part.yuv.v, part.yuv.u + 1);
  }
}

TEST(Tiles, CoverTheRectangleWithTheOverlapAskedFor) {
  EXPECT_EQ(tile({10, 20, 100, 50}, 1, 1, 0.3), (std::vector{FrameRect{10, 20, 100, 50}}));
  EXPECT_EQ(tile({0, 0, 100, 50}, 2, 1, 0), (std::vector{FrameRect{0, 0, 50, 50}, FrameRect{50, 0, 50, 50}}));
  // 180 = 2 * 100 - 20, a fifth of 100.
  EXPECT_EQ(tile({10, 0, 180, 90}, 2, 1, 0.2),
            (std::vector{FrameRect{10, 0, 100, 90}, FrameRect{90, 0, 100, 90}}));
  EXPECT_EQ(tile({0, 0, 30, 20}, 3, 2, 0).at(4), (FrameRect{10, 10, 10, 10}));
}

TEST(Tiles, LeaveNoPixelOut) {
  for (const int size : {1, 2, 7, 100, 101, 1333})
    for (const int count : {1, 2, 3, 5})
      for (const double overlap : {0.0, 0.1, 0.25, 0.9}) {
        int end = 0;
        for (const FrameRect& one : tile({0, 0, size, 1}, count, 1, overlap)) {
          EXPECT_LE(one.x, end);
          EXPECT_GT(one.width, 0);
          EXPECT_LE(one.x + one.width, size);
          end = one.x + one.width;
        }
        EXPECT_EQ(end, size);
      }
}

}  // namespace
}  // namespace caffe2rt
