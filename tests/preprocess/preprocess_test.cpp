#include "preprocess/preprocess.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/equal.h>

#include <cmath>
#include <random>

#include "runtime/npz.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// One frame with its pixels.
struct Frame {
  std::vector<std::uint8_t> bytes;
  FrameView view;
};

// A frame of 2x2 pixels whose samples count from 1; rows are padded with 99.
Frame counting_frame(PixelFormat format) {
  const int row = 2 * bytes_per_pixel(format), stride = row + 5;
  Frame frame{std::vector<std::uint8_t>(2 * stride, 99), {format, 2, 2, stride}};
  for (int i = 0; i < 2 * row; i++)
    frame.bytes[i / row * stride + i % row] = static_cast<std::uint8_t>(i + 1);
  frame.view.data = frame.bytes.data();
  return frame;
}

FrameView view_of(const at::Tensor& hwc, PixelFormat format = PixelFormat::kBgr) {
  return {format, static_cast<int>(hwc.size(1)), static_cast<int>(hwc.size(0)), hwc.stride(0),
          hwc.const_data_ptr<std::uint8_t>()};
}

at::Tensor grey_frame(int height, int width) {
  return tensor({height, width}, std::vector<float>(height * width, 7)).to(at::kByte);
}

constexpr PreprocessOptions kAsItIs = {.min_size = 0};
constexpr PreprocessOptions kBilinear = {.min_size = 8, .max_size = 10, .resize_mode = ResizeMode::kBilinear};

TEST(ResizedSize, BringsTheShortSideToTheMinimum) {
  const PreprocessOptions options = {.min_size = 320, .max_size = 1333};
  EXPECT_EQ(resized_size({432, 768}, options), (FrameSize{320, 569}));
  EXPECT_EQ(resized_size({768, 432}, options), (FrameSize{569, 320}));
  EXPECT_EQ(resized_size({400, 400}, options), (FrameSize{320, 320}));
}

TEST(ResizedSize, BoundsTheLongSide) {
  EXPECT_EQ(resized_size({480, 1920}, {.min_size = 800, .max_size = 1333}), (FrameSize{333, 1333}));
}

TEST(ResizedSize, KeepsTheSizeWhereTheMinimumIsZero) {
  EXPECT_EQ(resized_size({5, 7000}, {.min_size = 0, .max_size = 1333}), (FrameSize{5, 7000}));
}

TEST(ResizedSize, LeavesAPixelOfTheThinnestFrame) {
  EXPECT_EQ(resized_size({1, 16384}, {.min_size = 800, .max_size = 1333}), (FrameSize{1, 1333}));
  EXPECT_EQ(resized_size({16384, 1}, {.min_size = 800, .max_size = 1333}), (FrameSize{1333, 1}));
}

TEST(ResizedSize, BilinearRoundsDown) {
  const PreprocessOptions options = {.min_size = 320, .max_size = 640, .resize_mode = ResizeMode::kBilinear};
  EXPECT_EQ(resized_size({432, 768}, options), (FrameSize{320, 568}));
  EXPECT_EQ(resized_size({100, 333}, options), (FrameSize{192, 640}));
  EXPECT_EQ(resized_size({1, 16384}, options), (FrameSize{1, 640}));
  EXPECT_EQ(resized_size({480, 640}, {.min_size = 800, .resize_mode = ResizeMode::kBilinear}),
            (FrameSize{800, 1066}));
}

TEST(Preprocess, PutsChannelsInTheOrderOfTheModel) {
  const auto blue_first = tensor({1, 3, 2, 2}, {1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12});
  const auto red_first = tensor({1, 3, 2, 2}, {3, 6, 9, 12, 2, 5, 8, 11, 1, 4, 7, 10});
  const Frame bgr = counting_frame(PixelFormat::kBgr), rgb = counting_frame(PixelFormat::kRgb);
  EXPECT_TENSOR_EQ(preprocess({{bgr.view}}, {.min_size = 0, .rgb = false}).data, blue_first);
  EXPECT_TENSOR_EQ(preprocess({{bgr.view}}, {.min_size = 0, .rgb = true}).data, red_first);
  EXPECT_TENSOR_EQ(preprocess({{rgb.view}}, {.min_size = 0, .rgb = true}).data, blue_first);
  EXPECT_TENSOR_EQ(preprocess({{rgb.view}}, {.min_size = 0, .rgb = false}).data, red_first);
}

TEST(Preprocess, SkipsThePaddingByteOfAPixel) {
  const Frame frame = counting_frame(PixelFormat::kBgrx), rgb = counting_frame(PixelFormat::kRgbx);
  EXPECT_TENSOR_EQ(preprocess({{frame.view}}, kAsItIs).data,
                   tensor({1, 3, 2, 2}, {1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}));
  EXPECT_TENSOR_EQ(preprocess({{rgb.view}}, kAsItIs).data,
                   tensor({1, 3, 2, 2}, {3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13}));
}

TEST(Preprocess, GivesANetOfOneChannelTheLumaOfAPixel) {
  // Pillow: Image.new("RGB", (1, 1), (r, g, b)).convert("L")
  const std::vector<std::uint8_t> bgr = {10, 200, 30, 255, 255, 255};
  const FrameView frame{PixelFormat::kBgr, 2, 1, 6, bgr.data()};
  const FrameView rgb{PixelFormat::kRgb, 2, 1, 6, bgr.data()};
  EXPECT_TENSOR_EQ(preprocess({{frame}}, {.min_size = 0, .channels = 1}).data,
                   tensor({1, 1, 1, 2}, {128, 255}));
  EXPECT_TENSOR_EQ(preprocess({{rgb}}, {.min_size = 0, .channels = 1}).data,
                   tensor({1, 1, 1, 2}, {124, 255}));
  const Frame grey = counting_frame(PixelFormat::kGray);
  EXPECT_TENSOR_EQ(preprocess({{grey.view}}, {.min_size = 0, .channels = 1}).data,
                   tensor({1, 1, 2, 2}, {1, 2, 3, 4}));
}

TEST(Preprocess, PutsChannelsLastWhereTheNetWantsThem) {
  const Frame frame = counting_frame(PixelFormat::kBgr);
  EXPECT_TENSOR_EQ(preprocess({{frame.view}}, {.min_size = 0, .rgb = true, .channels_last = true}).data,
                   tensor({1, 2, 2, 3}, {3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10}));
}

TEST(Preprocess, StretchesToAFixedSize) {
  const at::Tensor grey = grey_frame(20, 50);
  const NetInput input = preprocess({{view_of(grey.unsqueeze(2), PixelFormat::kGray)}},
                                    {.size_divisibility = 32, .fixed_size = FrameSize{28, 14}});
  EXPECT_EQ(input.sizes.at(0), (FrameSize{28, 14}));
  EXPECT_EQ(input.data.sizes(), (std::vector<std::int64_t>{1, 3, 28, 14}));
  EXPECT_EQ(input.data.min().item<float>(), 7);
}

TEST(Preprocess, RepeatsGreyIntoThreeChannels) {
  const Frame frame = counting_frame(PixelFormat::kGray);
  EXPECT_TENSOR_EQ(preprocess({{frame.view}}, kAsItIs).data,
                   tensor({1, 3, 2, 2}, {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}));
}

TEST(Preprocess, ResizesEveryFormatAlike) {
  std::vector<at::Tensor> results;
  for (const auto format : {PixelFormat::kGray, PixelFormat::kRgb, PixelFormat::kBgrx}) {
    Frame frame = counting_frame(format);
    for (int i = 0; i < 4; i++)  // grey pixels, whatever the format
      for (int c = 0; c < bytes_per_pixel(format); c++)
        frame.bytes[i / 2 * frame.view.stride + i % 2 * bytes_per_pixel(format) + c] = 50 * i;
    results.push_back(preprocess({{frame.view}}, {.min_size = 5}).data);
  }
  EXPECT_TENSOR_EQ(results[1], results[0]);
  EXPECT_TENSOR_EQ(results[2], results[0]);
}

TEST(Preprocess, PadsABatchWithZerosToItsLargestImageAndTheDivisor) {
  const auto small = grey_frame(2, 5), large = grey_frame(3, 2);
  const std::vector<FrameView> frames = {view_of(small, PixelFormat::kGray),
                                         view_of(large, PixelFormat::kGray)};
  const NetInput input = preprocess(frames, {.min_size = 0, .size_divisibility = 4});
  EXPECT_SHAPE(input.data, {2, 3, 4, 8});
  for_each_index(input.data, [&](int64_t n, int64_t c, int64_t h, int64_t w) {
    const FrameSize size = input.sizes[n];
    ASSERT_EQ(at(input.data, n, c, h, w), h < size.height && w < size.width ? 7 : 0);
  });
  EXPECT_TENSOR_EQ(input.im_info, tensor({2, 3}, {2, 5, 1, 3, 2, 1}));
}

TEST(Preprocess, SaysSizeAndScaleOfTheImage) {
  const auto frame = grey_frame(432, 768);
  const NetInput input =
      preprocess({{view_of(frame, PixelFormat::kGray)}}, {.min_size = 160, .size_divisibility = 32});
  EXPECT_SHAPE(input.data, {1, 3, 160, 288});
  EXPECT_TENSOR_EQ(input.im_info, tensor({1, 3}, {160, 284, 2.7F}));
}

TEST(Preprocess, ResizesAsPillowDoesWithinOneLevel) {
  const auto recorded = read_npz(CAFFE2RT_TEST_DATA "/preprocess/pillow.npz");
  int cases = 0;
  for (; recorded.contains(std::to_string(cases) + ".frame"); cases++) {
    const auto& frame = recorded.at(std::to_string(cases) + ".frame");
    const auto& resized = recorded.at(std::to_string(cases) + ".resized");
    const FrameSize size = {static_cast<int>(resized.size(0)), static_cast<int>(resized.size(1))};
    const at::Tensor data = preprocess({{view_of(frame)}}, {.fixed_size = size}).data;
    for (int64_t y = 0; y < size.height; y++)
      for (int64_t x = 0; x < size.width; x++)
        for (int64_t c = 0; c < 3; c++)
          ASSERT_LE(std::abs(at(data, 0, c, y, x) -
                             resized.const_data_ptr<std::uint8_t>()[(y * size.width + x) * 3 + c]),
                    1)
              << "case " << cases << ", row " << y << ", column " << x;
  }
  EXPECT_EQ(cases, 8);
}

// What the tensor library's filter makes of a frame: Pillow's with weights of 16 bits.
void expect_like_the_library(int height, int width, FrameSize size) {
  const at::Tensor frame = random({height, width, 3}).mul_(80).add_(128).clamp_(0, 255).to(at::kByte);
  const at::Tensor expected =
      at::_upsample_bilinear2d_aa(frame.permute({2, 0, 1}).unsqueeze(0), {size.height, size.width}, false);
  const at::Tensor data = preprocess({{view_of(frame)}}, {.fixed_size = size}).data;
  EXPECT_TRUE(at::equal(data, expected.to(at::kFloat)))
      << height << 'x' << width << " to " << size.height << 'x' << size.width;
}

TEST(Preprocess, ResizesAsTheTensorLibraryDoes) {
  std::mt19937 generator(1);
  for (int i = 0; i < 60; i++) {
    const auto side = [&] { return static_cast<int>(1 + generator() % (i < 20 ? 9 : 120)); };
    const int height = side(), width = side();
    expect_like_the_library(height, width, {side(), side()});
  }
  expect_like_the_library(40, 50, {40, 20});  // one axis alone
  expect_like_the_library(40, 50, {70, 50});
  expect_like_the_library(300, 400, {3, 2});
}

TEST(Preprocess, ThreadsShareTheRowsOfABatch) {
  const at::Tensor frame = random({150, 90, 3}).mul_(80).add_(128).clamp_(0, 255).to(at::kByte);
  const std::vector<FrameView> frames = {view_of(frame), view_of(frame.slice(0, 0, 70)), view_of(frame)};
  for (const auto mode : {ResizeMode::kAntialiased, ResizeMode::kBilinear}) {
    const PreprocessOptions options = {.min_size = 101, .size_divisibility = 32, .resize_mode = mode};
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor alone = preprocess(frames, options).data;
    at::set_num_threads(3);
    const at::Tensor shared = preprocess(frames, options).data;
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(shared, alone));
  }
}

TEST(Preprocess, GivesDataInChannelsLastMemory) {
  const Frame frame = counting_frame(PixelFormat::kBgr);
  EXPECT_TRUE(preprocess({{frame.view}}, {.min_size = 5}).data.is_contiguous(at::MemoryFormat::ChannelsLast));
}

// The value at a place between pixels, each pixel weighed by how near it is.
double interpolated(const at::Tensor& hwc, double y, double x, int64_t c) {
  double sum = 0;
  for (int64_t row = 0; row < hwc.size(0); row++)
    for (int64_t column = 0; column < hwc.size(1); column++)
      sum += std::max(0.0, 1 - std::abs(y - static_cast<double>(row))) *
             std::max(0.0, 1 - std::abs(x - static_cast<double>(column))) *
             hwc.const_data_ptr<std::uint8_t>()[(row * hwc.size(1) + column) * hwc.size(2) + c];
  return sum;
}

at::Tensor interpolated(const at::Tensor& grey, FrameSize size) {
  return preprocess({{view_of(grey, PixelFormat::kGray)}},
                    {.fixed_size = size, .channels = 1, .resize_mode = ResizeMode::kBilinear})
      .data;
}

TEST(Preprocess, BilinearLiesBetweenTheFourNearestPixels) {
  const auto frame = tensor({1, 2, 1}, {10, 50}).to(at::kByte);
  // Centres of four pixels in two: at -1/4 (the edge), 1/4, 3/4 and 5/4 (the edge).
  EXPECT_TENSOR_EQ(interpolated(frame, {1, 4}), tensor({1, 1, 1, 4}, {10, 20, 40, 50}));
  const auto row = tensor({1, 6, 1}, {0, 10, 20, 100, 40, 250}).to(at::kByte);
  // A third of the size, without a filter: the middle pixel of three.
  EXPECT_TENSOR_EQ(interpolated(row, {1, 2}), tensor({1, 1, 1, 2}, {10, 40}));
}

TEST(Preprocess, BilinearAgreesWithEveryPixelWeighedByItsNearness) {
  for (const auto& [height, width] : {std::pair{7, 5}, {3, 11}, {1, 1}, {16, 9}}) {
    const auto frame = random({9, 6, 3}).mul_(40).add_(128).clamp_(0, 255).to(at::kByte);
    const auto image = preprocess({{view_of(frame)}}, {.fixed_size = FrameSize{height, width},
                                                       .resize_mode = ResizeMode::kBilinear})
                           .data;
    EXPECT_SHAPE(image, {1, 3, height, width});
    for_each_index(image.contiguous(), [&](int64_t, int64_t c, int64_t h, int64_t w) {
      const double y = std::clamp((static_cast<double>(h) + 0.5) * 9 / height - 0.5, 0.0, 8.0);
      const double x = std::clamp((static_cast<double>(w) + 0.5) * 6 / width - 0.5, 0.0, 5.0);
      ASSERT_NEAR(at(image, 0, c, h, w), interpolated(frame, y, x, c), 1e-3);
    });
  }
}

TEST(Preprocess, BilinearKeepsFractionsAndTheOrderOfChannels) {
  const Frame bgr = counting_frame(PixelFormat::kBgrx);
  const NetInput input =
      preprocess({{bgr.view}}, {.min_size = 4, .rgb = true, .resize_mode = ResizeMode::kBilinear});
  EXPECT_SHAPE(input.data, {1, 3, 4, 4});
  EXPECT_EQ(at(input.data, 0, 0, 0, 0), 3);  // red of the first pixel
  EXPECT_EQ(at(input.data, 0, 0, 0, 1), 4);  // a quarter of the way to 7
  EXPECT_EQ(at(input.data, 0, 2, 3, 3), 13);
  EXPECT_EQ(at(input.data, 0, 1, 1, 1), 2 + 1 + 2);
}

TEST(Preprocess, BilinearGivesANetOfOneChannelTheLuma) {
  const auto frame = tensor({1, 2, 3}, {10, 200, 30, 10, 200, 30}).to(at::kByte);
  PreprocessOptions options = kBilinear;
  options.channels = 1;
  const NetInput input = preprocess({{view_of(frame)}}, options);
  EXPECT_SHAPE(input.data, {1, 1, 5, 10});
  EXPECT_NEAR(at(input.data, 0, 0, 4, 9), 0.299 * 30 + 0.587 * 200 + 0.114 * 10, 0.01);
}

TEST(Preprocess, PadsWithTheValueOfEachChannel) {
  const auto grey = grey_frame(2, 5);
  for (const bool last : {false, true}) {
    const NetInput input =
        preprocess({{view_of(grey, PixelFormat::kGray)}},
                   {.min_size = 0, .size_divisibility = 4, .channels_last = last, .padding = {1.5F, 2, 3}});
    const auto data = last ? input.data.movedim(3, 1) : input.data;
    EXPECT_SHAPE(data, {1, 3, 4, 8});
    for_each_index(data.contiguous(), [&](int64_t n, int64_t c, int64_t h, int64_t w) {
      const float padding[] = {1.5F, 2, 3};
      ASSERT_EQ(at(data, n, c, h, w), h < 2 && w < 5 ? 7 : padding[c]);
    });
  }
}

TEST(Preprocess, TakesLumaAndChroma) {
  const std::vector<std::uint8_t> bytes = {128, 235, 16, 128, 235, 128, 128, 16, 128, 128, 128, 240};
  FrameView frame{PixelFormat::kYuv420, 4, 2, 4, bytes.data()};
  frame.yuv.u = bytes.data() + 8;
  frame.yuv.v = bytes.data() + 9;
  frame.yuv.stride = 4;
  frame.yuv.step = 2;
  const NetInput input = preprocess({{frame}}, {.min_size = 0, .rgb = true});
  EXPECT_SHAPE(input.data, {1, 3, 2, 4});
  EXPECT_EQ(at(input.data, 0, 0, 0, 1), 253);  // grey
  EXPECT_EQ(at(input.data, 0, 1, 0, 1), 253);
  EXPECT_EQ(at(input.data, 0, 0, 0, 2), 177);  // dark red
  EXPECT_EQ(at(input.data, 0, 1, 0, 2), 0);
  EXPECT_EQ(at(input.data, 0, 2, 0, 2), 0);
}

TEST(Preprocess, RefusesChromaThatIsNotThere) {
  const std::uint8_t samples[4] = {};
  FrameView frame{PixelFormat::kYuv420, 4, 1, 4, samples};
  EXPECT_ERROR(preprocess({{frame}}, {}), ErrorCode::kArgument, "frame: expected chroma");
  frame.yuv.u = frame.yuv.v = samples;
  frame.yuv.stride = 1;
  EXPECT_ERROR(preprocess({{frame}}, {}), ErrorCode::kArgument,
               "expected chroma with a stride of at least 2 bytes, got 1");
}

TEST(Preprocess, EmptyBatchGivesEmptyInput) {
  const NetInput input = preprocess({}, {});
  EXPECT_SHAPE(input.data, {0, 3, 0, 0});
  EXPECT_SHAPE(input.im_info, {0, 3});
}

TEST(Preprocess, RefusesAFrameWithoutPixels) {
  const std::uint8_t pixel = 0;
  EXPECT_ERROR(preprocess({{FrameView{PixelFormat::kGray, 0, 4, 4, &pixel}}}, {}), ErrorCode::kArgument,
               "frame: expected at least one pixel, got 0x4");
  EXPECT_ERROR(preprocess({{FrameView{PixelFormat::kGray, 1, 1, 4, nullptr}}}, {}), ErrorCode::kArgument,
               "frame: expected at least one pixel");
}

TEST(Preprocess, RefusesAStrideShorterThanARow) {
  const Frame frame = counting_frame(PixelFormat::kBgr);
  FrameView view = frame.view;
  view.stride = 5;
  EXPECT_ERROR(preprocess({{view}}, {}), ErrorCode::kArgument,
               "expected a stride of at least 6 bytes, got 5");
}

}  // namespace
}  // namespace caffe2rt
