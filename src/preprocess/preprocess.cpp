#include "preprocess/preprocess.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "base/error.h"
#include "kernels/resize.h"
#include "kernels/unpack_pixels.h"

namespace caffe2rt {
namespace {

void check(const FrameView& frame) {
  require(frame.width > 0 && frame.height > 0 && frame.data != nullptr, ErrorCode::kArgument,
          "frame: expected at least one pixel, got {}x{}", frame.width, frame.height);
  const std::ptrdiff_t row = std::ptrdiff_t{frame.width} * bytes_per_pixel(frame.format);
  require(frame.stride >= row, ErrorCode::kArgument, "frame: expected a stride of at least {} bytes, got {}",
          row, frame.stride);
  if (frame.format != PixelFormat::kYuv420) return;
  const std::ptrdiff_t chroma = std::ptrdiff_t{frame.width + 1} / 2 * frame.yuv.step;
  require(frame.yuv.u != nullptr && frame.yuv.v != nullptr && frame.yuv.stride >= chroma,
          ErrorCode::kArgument, "frame: expected chroma with a stride of at least {} bytes, got {}", chroma,
          frame.yuv.stride);
}

constexpr int kSamples = resize::kSampleBytes;  // of a pixel, whatever the frame's format
constexpr int kPixel = resize::kPixelBytes;     // of an unpacked one
constexpr int kFewestRows = 16;                 // of `data`, that are worth a thread

size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Pillow's conversion to mode L, in 16 bit fixed point.
float luma(const std::uint8_t* rgb) {
  return static_cast<float>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}
// And without rounding.
float luma(const float* rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471) / 65536; }

void write_samples(const std::uint8_t* from, size_t count, float* to) {
  resize::write_samples(from, count, to);
}
void write_samples(const float* from, size_t count, float* to) { std::copy_n(from, count, to); }

// `from` is (width,3): in the order of `data`'s channels, or red first where it has one. `to` is (width,C).
template <class T>
void write_pixels(const T* from, int width, int channels, bool grey, float* to) {
  if (channels == kSamples) return write_samples(from, static_cast<size_t>(width) * kSamples, to);
  for (int x = 0; x < width; x++, from += kSamples) to[x] = grey ? static_cast<float>(*from) : luma(from);
}

void write_padding(const PreprocessOptions& options, std::int64_t pixels, float* to) {
  if (options.padding == std::array<float, 3>{}) {
    std::fill_n(to, pixels * options.channels, 0.0F);
    return;
  }
  for (std::int64_t i = 0; i < pixels; i++)
    for (int c = 0; c < options.channels; c++) *to++ = options.padding[c];
}

// Resizes a frame as Pillow does. Only as many rows are kept between the two passes as one row of the result
// needs.
class Antialiased {
 public:
  Antialiased(const FrameView& frame, FrameSize size, bool rgb)
      : frame_(frame),
        rgb_(rgb),
        as_it_is_(size == FrameSize{frame.height, frame.width}),
        rows_(resize::make_axis(frame.height, size.height)),
        columns_(resize::make_axis(frame.width, size.width)),
        pixel_row_(aligned(std::max(resize::pixel_row_size(columns_), unpacked_row_size(frame.width)))),
        sample_row_(aligned(resize::sample_row_size(size.width))),
        kept_((rows_.taps + 2 * kAtOnce - 1) / kAtOnce * kAtOnce) {}

  // Bytes that a thread needs.
  size_t scratch_size() const { return kAtOnce * pixel_row_ + (kept_ + 1) * sample_row_; }

  // Calls use(y, samples) for rows [first, last): samples are (size.width,3) uint8.
  template <class Use>
  void rows(int first, int last, std::uint8_t* scratch, Use&& use) const {
    std::uint8_t *pixels = scratch, *ring = scratch + kAtOnce * pixel_row_, *row = ring + kept_ * sample_row_;
    if (as_it_is_) {
      for (int y = first; y < last; y++) {
        unpack_row(frame_, y, rgb_, pixels);
        resize::drop_fourth(pixels, frame_.width, row);
        use(y, row);
      }
      return;
    }
    std::vector<const std::uint8_t*> neighbours(rows_.taps);
    const int start = rows_.first[first];
    const auto kept = [&](int source) {
      return ring + static_cast<size_t>((source - start) % static_cast<int>(kept_)) * sample_row_;
    };
    int done = start;  // rows before it have their columns resized
    for (int y = first; y < last; y++) {
      for (; done < rows_.first[y] + rows_.count[y]; done += kAtOnce) {
        const std::uint8_t* from[kAtOnce];
        std::uint8_t* to[kAtOnce];
        for (int i = 0; i < kAtOnce; i++) {
          if (done + i < frame_.height) unpack_row(frame_, done + i, rgb_, pixels + i * pixel_row_);
          from[i] = pixels + i * pixel_row_;  // below the frame: what was there, for nobody
          to[i] = kept(done + i);
        }
        resize::resize_columns(columns_, from, to);
      }
      for (int t = 0; t < rows_.count[y]; t++) neighbours[t] = kept(rows_.first[y] + t);
      resize::resize_rows(rows_, y, neighbours.data(), static_cast<size_t>(columns_.to) * kSamples, row);
      use(y, row);
    }
  }

 private:
  static constexpr int kAtOnce = resize::kRowsAtOnce;

  const FrameView frame_;
  const bool rgb_, as_it_is_;
  const resize::Axis rows_, columns_;
  const size_t pixel_row_, sample_row_;  // bytes
  const size_t kept_;                    // rows with resized columns
};

// Where a row or column of the resized image lies between two of the frame.
struct Tap {
  int low = 0, high = 0;
  float weight = 0;  // of `high`
};

std::vector<Tap> make_taps(int from, int to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Tap> taps(to);
  for (int i = 0; i < to; i++) {
    const float place = std::max(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
    const int low = std::min(static_cast<int>(place), from - 1);
    taps[i] = {low, std::min(low + 1, from - 1), std::min(1.0F, place - static_cast<float>(low))};
  }
  return taps;
}

// Puts every pixel between the four nearest of the frame.
class Bilinear {
 public:
  Bilinear(const FrameView& frame, FrameSize size, bool rgb)
      : frame_(frame),
        rgb_(rgb),
        rows_(make_taps(frame.height, size.height)),
        columns_(make_taps(frame.width, size.width)),
        pixel_row_(aligned(unpacked_row_size(frame.width))),
        between_row_(aligned(unpacked_row_size(frame.width) * sizeof(float))) {}

  size_t scratch_size() const {
    return 2 * pixel_row_ + between_row_ + aligned(columns_.size() * kSamples * sizeof(float));
  }

  // Calls use(y, samples) for rows [first, last): samples are (size.width,3) float32.
  template <class Use>
  void rows(int first, int last, std::uint8_t* scratch, Use&& use) const {
    std::uint8_t *low = scratch, *high = scratch + pixel_row_;
    auto* between = reinterpret_cast<float*>(scratch + 2 * pixel_row_);  // of two rows of the frame
    auto* row = reinterpret_cast<float*>(scratch + 2 * pixel_row_ + between_row_);
    int in_low = -1, in_high = -1;  // rows of the frame
    const auto bring = [&](int wanted, std::uint8_t* to, int& in) {
      if (in != wanted) unpack_row(frame_, wanted, rgb_, to);
      in = wanted;
    };
    for (int y = first; y < last; y++) {
      const Tap& tap = rows_[y];
      if (in_high == tap.low) {
        std::swap(low, high);
        std::swap(in_low, in_high);
      }
      bring(tap.low, low, in_low);
      bring(tap.high, high, in_high);
      for (int i = 0; i < frame_.width * kPixel; i++)
        between[i] = (1 - tap.weight) * static_cast<float>(low[i]) + tap.weight * static_cast<float>(high[i]);
      float* to = row;
      for (const Tap& column : columns_)
        for (int c = 0; c < kSamples; c++)
          *to++ = (1 - column.weight) * between[column.low * kPixel + c] +
                  column.weight * between[column.high * kPixel + c];
      use(y, row);
    }
  }

 private:
  const FrameView frame_;
  const bool rgb_;
  const std::vector<Tap> rows_, columns_;
  const size_t pixel_row_, between_row_;  // bytes
};

using Resizer = std::variant<Antialiased, Bilinear>;

Resizer make_resizer(const FrameView& frame, FrameSize size, const PreprocessOptions& options) {
  const bool rgb = options.rgb || options.channels == 1;
  if (options.resize_mode == ResizeMode::kBilinear && size != FrameSize{frame.height, frame.width})
    return Bilinear(frame, size, rgb);
  return Antialiased(frame, size, rgb);
}

// `data` is (N,C,H,W) float32 in channels_last memory, which is written from its first byte to its last.
void write_images(std::span<const FrameView> frames, const std::vector<FrameSize>& sizes,
                  const PreprocessOptions& options, const at::Tensor& data) {
  std::vector<Resizer> resizers;
  size_t scratch_size = 0;
  for (size_t i = 0; i < frames.size(); i++) {
    resizers.push_back(make_resizer(frames[i], sizes[i], options));
    scratch_size =
        std::max(scratch_size, std::visit([](const auto& r) { return r.scratch_size(); }, resizers.back()));
  }
  const std::array<std::int64_t, 2> scratch_shape = {at::get_num_threads(),
                                                     static_cast<std::int64_t>(scratch_size)};
  const at::Tensor scratch = at::empty(scratch_shape, at::kByte);
  auto* memory = scratch.mutable_data_ptr<std::uint8_t>();
  auto* to = data.mutable_data_ptr<float>();
  const std::int64_t height = data.size(2), width = data.size(3), row = width * data.size(1);
  at::parallel_for(0, data.size(0) * height, kFewestRows, [&](std::int64_t begin, std::int64_t end) {
    std::uint8_t* own = memory + static_cast<size_t>(at::get_thread_num()) * scratch_size;
    for (std::int64_t at = begin; at < end;) {  // a row of all images' rows
      const std::int64_t image = at / height, first = at % height, last = std::min(height, first + end - at);
      const FrameSize size = sizes[image];
      float* rows = to + image * height * row;
      const auto use = [&](int y, const auto* samples) {
        write_pixels(samples, size.width, options.channels, frames[image].format == PixelFormat::kGray,
                     rows + y * row);
        write_padding(options, width - size.width,
                      rows + y * row + std::int64_t{size.width} * options.channels);
      };
      const std::int64_t seen = std::min<std::int64_t>(last, size.height);
      if (first < seen)
        std::visit([&](const auto& r) { r.rows(static_cast<int>(first), static_cast<int>(seen), own, use); },
                   resizers[image]);
      const std::int64_t below = std::max(first, seen);
      if (below < last) write_padding(options, (last - below) * width, rows + below * row);
      at += last - first;
    }
  });
}

ImageWriter gpu_writer = nullptr;

}  // namespace

RegisteredImageWriter::RegisteredImageWriter(ImageWriter writer) { gpu_writer = writer; }
ImageWriter gpu_image_writer() { return gpu_writer; }

FrameSize resized_size(FrameSize frame, const PreprocessOptions& options) {
  if (options.fixed_size) return *options.fixed_size;
  if (options.min_size == 0) return frame;
  if (options.resize_mode == ResizeMode::kBilinear) {
    const double scale =
        std::min(static_cast<double>(options.min_size) / std::min(frame.height, frame.width),
                 static_cast<double>(options.max_size) / std::max(frame.height, frame.width));
    return {std::max(1, static_cast<int>(std::floor(frame.height * scale))),
            std::max(1, static_cast<int>(std::floor(frame.width * scale)))};
  }
  double scale = static_cast<double>(options.min_size) / std::min(frame.height, frame.width);
  double height = frame.height < frame.width ? options.min_size : scale * frame.height;
  double width = frame.height < frame.width ? scale * frame.width : options.min_size;
  if (std::max(height, width) > options.max_size) {
    scale = options.max_size / std::max(height, width);
    height *= scale;
    width *= scale;
  }
  return {std::max(1, static_cast<int>(std::floor(height + 0.5))),
          std::max(1, static_cast<int>(std::floor(width + 0.5)))};
}

NetInput preprocess(std::span<const FrameView> frames, const PreprocessOptions& options, c10::Device device) {
  const bool on_gpu = !device.is_cpu() && gpu_writer != nullptr;
  NetInput input;
  FrameSize largest;
  for (const FrameView& frame : frames) {
    check(frame);
    require(frame.memory == FrameMemory::kHost || on_gpu, ErrorCode::kArgument,
            "frame: expected pixels in the host's memory, got a GPU's");
    const FrameSize size = resized_size({frame.height, frame.width}, options);
    largest = {std::max(largest.height, size.height), std::max(largest.width, size.width)};
    input.sizes.push_back(size);
  }
  const std::int64_t multiple = options.fixed_size ? 1 : std::max(1, options.size_divisibility);
  const auto padded = [&](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  const auto n = static_cast<std::int64_t>(frames.size());
  const std::int64_t height = padded(largest.height), width = padded(largest.width), c = options.channels;
  const std::array<std::int64_t, 4> shape = {n, c, height, width};
  const auto options_there =
      at::TensorOptions(at::kFloat).device(on_gpu ? device : c10::Device(c10::DeviceType::CPU));
  const at::Tensor data = at::empty(shape, options_there, at::MemoryFormat::ChannelsLast);
  input.data = options.channels_last ? data.permute({0, 2, 3, 1}) : data;
  (on_gpu ? gpu_writer : write_images)(frames, input.sizes, options, data);

  const std::array<std::int64_t, 2> info_shape = {n, 3};
  input.im_info = at::empty(info_shape, at::kFloat);
  auto* info = input.im_info.mutable_data_ptr<float>();
  for (size_t i = 0; i < frames.size(); i++) {
    const FrameSize size = input.sizes[i];
    *info++ = static_cast<float>(size.height);
    *info++ = static_cast<float>(size.width);
    *info++ = static_cast<float>(static_cast<double>(frames[i].height) / size.height);
  }
  return input;
}

}  // namespace caffe2rt
