// Frames as a GPU makes `data` of them, beside the CPU's: the same to the last bit. Where
// CAFFE2RT_CUDA_ON_HOST is defined, its kernels are functions of the host (on_host/cuda_on_host.h).
#include "preprocess/preprocess.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/full_like.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// A frame of noise in rows with bytes between them, and chroma where the format has it.
struct Frame {
  std::vector<std::uint8_t> bytes;
  FrameView view;

  Frame(PixelFormat format, int width, int height, Yuv yuv = {}, bool interleaved = true) {
    const std::ptrdiff_t stride = std::ptrdiff_t{width} * bytes_per_pixel(format) + 5,
                         chroma_stride = width + 9;
    const int columns = (width + 1) / 2, rows = (height + 1) / 2;
    bytes.resize(static_cast<size_t>(stride * height + 2 * chroma_stride * rows));
    std::mt19937 generator(width * 31 + height);
    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(generator()); });
    view = {format, width, height, stride, bytes.data()};
    if (format != PixelFormat::kYuv420) return;
    yuv.u = bytes.data() + stride * height;
    yuv.v = interleaved ? yuv.u + 1 : yuv.u + columns + 3;
    yuv.step = interleaved ? 2 : 1;
    yuv.stride = chroma_stride;
    view.yuv = yuv;
  }
};

class PreprocessOnGpu : public testing::Test {
 protected:
#ifdef CAFFE2RT_CUDA_ON_HOST
  // What a GPU runs, on the host's memory.
  static at::Tensor data_of(const std::vector<FrameView>& frames, const PreprocessOptions& options) {
    std::vector<FrameView> of_host = frames;
    for (FrameView& frame : of_host) frame.memory = FrameMemory::kHost;
    const NetInput input = preprocess(of_host, options);
    at::Tensor data = at::full_like(input.data, -7);
    EXPECT_NE(gpu_image_writer(), nullptr);
    gpu_image_writer()(frames, input.sizes, options, data);
    return data;
  }
#else
  void SetUp() override {
    try {
      gpu_ = parse_device("cuda");
    } catch (const Error& e) {
      GTEST_SKIP() << e.what();
    }
  }
  at::Tensor data_of(const std::vector<FrameView>& frames, const PreprocessOptions& options) const {
    const NetInput input = preprocess(frames, options, gpu_);
    EXPECT_EQ(input.data.device(), gpu_);
    return input.data.cpu();
  }
  c10::Device gpu_ = c10::DeviceType::CPU;
#endif

  // A frame whose bytes are in the GPU's memory, where `there` keeps them.
  FrameView in_gpu_memory(Frame& frame, at::Tensor& there) const {
    const auto size = static_cast<std::int64_t>(frame.bytes.size());
#ifdef CAFFE2RT_CUDA_ON_HOST
    there = at::from_blob(frame.bytes.data(), {size}, at::kByte).clone();
#else
    there = at::from_blob(frame.bytes.data(), {size}, at::kByte).to(gpu_);
#endif
    const auto moved = [&](const std::uint8_t* here) {
      return there.const_data_ptr<std::uint8_t>() + (here - frame.bytes.data());
    };
    FrameView view = frame.view;
    view.memory = FrameMemory::kGpu;
    view.data = moved(view.data);
    if (view.format == PixelFormat::kYuv420) {
      view.yuv.u = moved(view.yuv.u);
      view.yuv.v = moved(view.yuv.v);
    }
    return view;
  }

  void expect_same(const std::vector<FrameView>& frames, const PreprocessOptions& options) const {
    EXPECT_TENSOR_EQ(data_of(frames, options), preprocess(frames, options).data);
  }
};

constexpr PixelFormat kPacked[] = {PixelFormat::kBgr, PixelFormat::kRgb, PixelFormat::kBgrx,
                                   PixelFormat::kRgbx, PixelFormat::kGray};

TEST_F(PreprocessOnGpu, PackedFormatsInBothOrdersOfChannels) {
  for (const PixelFormat format : kPacked)
    for (const bool rgb : {false, true}) {
      SCOPED_TRACE(static_cast<int>(format));
      const Frame frame(format, 37, 23);
      expect_same({frame.view}, {.min_size = 0, .rgb = rgb});
      expect_same({frame.view}, {.min_size = 16, .max_size = 100, .size_divisibility = 32, .rgb = rgb});
      expect_same({frame.view}, {.min_size = 50, .max_size = 100, .rgb = rgb});
    }
}

TEST_F(PreprocessOnGpu, ChromaOfEveryKind) {
  for (const auto filter : {ChromaFilter::kNearest, ChromaFilter::kBetween, ChromaFilter::kCosited})
    for (const bool between : {false, true})
      for (const bool interleaved : {false, true})
        for (const int width : {40, 37})
          for (const int height : {24, 19}) {
            const Yuv yuv{
                .columns = filter, .rows_between = between, .matrix = yuv_matrix(0.2126, 0.0722, false)};
            const Frame frame(PixelFormat::kYuv420, width, height, yuv, interleaved);
            expect_same({frame.view}, {.min_size = 0});
            expect_same({frame.view}, {.min_size = 11, .max_size = 50});
          }
}

TEST_F(PreprocessOnGpu, BetweenTheFourNearestPixels) {
  for (const int size : {9, 60}) {
    const Frame frame(PixelFormat::kBgr, 37, 23), grey(PixelFormat::kGray, 37, 23);
    for (const FrameView& view : {frame.view, grey.view})
      for (const int channels : {1, 3})
        expect_same(
            {view},
            {.min_size = size, .max_size = 200, .channels = channels, .resize_mode = ResizeMode::kBilinear});
  }
}

TEST_F(PreprocessOnGpu, BatchesOfSizesAndFormatsWithPaddingAroundThem) {
  const Frame a(PixelFormat::kBgr, 64, 36), b(PixelFormat::kYuv420, 30, 50), c(PixelFormat::kGray, 20, 20);
  expect_same(
      {a.view, b.view, c.view},
      {.min_size = 24, .max_size = 60, .size_divisibility = 32, .padding = {103.5F, 116.25F, 123.0F}});
  expect_same({a.view, c.view}, {.min_size = 24, .max_size = 60, .channels = 1, .padding = {9}});
  expect_same({a.view, b.view}, {.fixed_size = FrameSize{20, 70}, .rgb = true});
}

TEST_F(PreprocessOnGpu, FramesInItsMemory) {
  Frame packed(PixelFormat::kBgrx, 37, 23), planes(PixelFormat::kYuv420, 31, 50, {}, false),
      interleaved(PixelFormat::kYuv420, 40, 24);
  const PreprocessOptions options{.min_size = 20, .max_size = 60};
  at::Tensor there[3];
  const std::vector<FrameView> mixed = {in_gpu_memory(packed, there[0]), interleaved.view,
                                        in_gpu_memory(planes, there[1]),
                                        in_gpu_memory(interleaved, there[2])};
  const std::vector<FrameView> here = {packed.view, interleaved.view, planes.view, interleaved.view};
  EXPECT_TENSOR_EQ(data_of(mixed, options), preprocess(here, options).data);
}

TEST_F(PreprocessOnGpu, TheCpuRefusesFramesInItsMemory) {
  Frame frame(PixelFormat::kBgr, 8, 8);
  at::Tensor there;
  const FrameView view = in_gpu_memory(frame, there);
  EXPECT_ERROR(preprocess({&view, 1}, {}), ErrorCode::kArgument,
               "frame: expected pixels in the host's memory, got a GPU's");
}

}  // namespace
}  // namespace caffe2rt
