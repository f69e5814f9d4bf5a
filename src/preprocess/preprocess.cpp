#include "preprocess/preprocess.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace caffe2rt {
namespace {

void check(const FrameView& frame) {
  require(frame.width > 0 && frame.height > 0 && frame.data != nullptr, ErrorCode::kArgument,
          "frame: expected at least one pixel, got {}x{}", frame.width, frame.height);
  const std::ptrdiff_t row = std::ptrdiff_t{frame.width} * bytes_per_pixel(frame.format);
  require(frame.stride >= row, ErrorCode::kArgument, "frame: expected a stride of at least {} bytes, got {}",
          row, frame.stride);
}

bool is_rgb(PixelFormat format) { return format == PixelFormat::kRgb || format == PixelFormat::kRgbx; }

// One sample of a pixel, as it is.
struct Sample {
  std::int64_t index;
  template <class T>
  float operator()(const T* pixel) const {
    return pixel[index];
  }
};

// Pillow's conversion to mode L, in 16 bit fixed point, or without rounding.
struct Luma {
  std::int64_t red, blue;
  float operator()(const std::uint8_t* pixel) const {
    return static_cast<float>((pixel[red] * 19595 + pixel[1] * 38470 + pixel[blue] * 7471 + 0x8000) >> 16);
  }
  float operator()(const float* pixel) const {
    return (pixel[red] * 19595 + pixel[1] * 38470 + pixel[blue] * 7471) / 65536;
  }
};

// Writes what `value` makes of each pixel of an image, (1,S,height,width) of T in channels_last memory, into
// the top left corner of `plane`, (H,W) float32 of any strides.
template <class T, class F>
void write_plane(const at::Tensor& image, F value, const at::Tensor& plane) {
  const std::int64_t height = image.size(2), width = image.size(3), step = image.stride(3);
  const std::int64_t row = plane.stride(0), column = plane.stride(1);
  const T* from = image.const_data_ptr<T>();
  auto* to = plane.mutable_data_ptr<float>();
  at::parallel_for(0, height, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t y = begin; y < end; y++) {
      const T* pixel = from + y * image.stride(2);
      float* out = to + y * row;
      if (column == 1)
        for (std::int64_t x = 0; x < width; x++) out[x] = value(pixel + x * step);
      else
        for (std::int64_t x = 0; x < width; x++) out[x * column] = value(pixel + x * step);
    }
  });
}

// `image` is (1,S,height,width) of T in channels_last memory, `planes` is (C,H,W) float32.
template <class T>
void write_planes(const at::Tensor& image, PixelFormat format, const PreprocessOptions& options,
                  const at::Tensor& planes) {
  const bool grey = format == PixelFormat::kGray;
  if (options.channels == 1 && !grey)
    return write_plane<T>(image, is_rgb(format) ? Luma{0, 2} : Luma{2, 0}, planes.select(0, 0));
  const bool reversed = is_rgb(format) != options.rgb;
  for (std::int64_t c = 0; c < options.channels; c++)
    write_plane<T>(image, Sample{grey ? 0 : reversed ? 2 - c : c}, planes.select(0, c));
}

// Where a row or column of the resized image lies between two of the frame.
struct Tap {
  std::int64_t low = 0, high = 0;
  float weight = 0;  // of `high`
};

std::vector<Tap> make_taps(std::int64_t from, std::int64_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Tap> taps(to);
  for (std::int64_t i = 0; i < to; i++) {
    const float place = std::max(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
    const auto low = std::min(static_cast<std::int64_t>(place), from - 1);
    taps[i] = {low, std::min(low + 1, from - 1), std::min(1.0F, place - static_cast<float>(low))};
  }
  return taps;
}

void write_padding(const PreprocessOptions& options, const at::Tensor& planes) {
  for (std::int64_t c = 0; c < options.channels; c++) planes.select(1, c).fill_(options.padding[c]);
}

}  // namespace

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

at::Tensor resize_frame(const FrameView& frame, FrameSize size) {
  check(frame);
  const std::int64_t channels = bytes_per_pixel(frame.format);
  const std::array<std::int64_t, 4> shape = {1, channels, frame.height, frame.width};
  const std::array<std::int64_t, 4> strides = {frame.stride * frame.height, 1, frame.stride, channels};
  at::Tensor pixels =
      at::from_blob(const_cast<std::uint8_t*>(frame.data), shape, strides, at::TensorOptions(at::kByte));
  if (size == FrameSize{frame.height, frame.width}) return pixels;
  // The tensor library's filter of uint8 in channels_last memory computes what Pillow does.
  const std::array<std::int64_t, 2> to = {size.height, size.width};
  return at::_upsample_bilinear2d_aa(pixels.contiguous(at::MemoryFormat::ChannelsLast), to, false)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor interpolate_frame(const FrameView& frame, FrameSize size) {
  check(frame);
  const std::int64_t channels = bytes_per_pixel(frame.format), row = frame.width * channels;
  const std::array<std::int64_t, 4> shape = {1, channels, size.height, size.width};
  at::Tensor image = at::empty(shape, at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
  auto* to = image.mutable_data_ptr<float>();
  const std::vector<Tap> rows = make_taps(frame.height, size.height),
                         columns = make_taps(frame.width, size.width);
  at::parallel_for(0, size.height, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> between(row);  // of two rows of the frame
    for (std::int64_t y = begin; y < end; y++) {
      const std::uint8_t *low = frame.data + rows[y].low * frame.stride,
                         *high = frame.data + rows[y].high * frame.stride;
      const float weight = rows[y].weight;
      for (std::int64_t i = 0; i < row; i++)
        between[i] = (1 - weight) * static_cast<float>(low[i]) + weight * static_cast<float>(high[i]);
      float* out = to + y * size.width * channels;
      for (const Tap& tap : columns)
        for (std::int64_t c = 0; c < channels; c++)
          *out++ = (1 - tap.weight) * between[tap.low * channels + c] +
                   tap.weight * between[tap.high * channels + c];
    }
  });
  return image;
}

NetInput preprocess(std::span<const FrameView> frames, const PreprocessOptions& options) {
  NetInput input;
  FrameSize largest;
  for (const FrameView& frame : frames) {
    check(frame);
    const FrameSize size = resized_size({frame.height, frame.width}, options);
    largest = {std::max(largest.height, size.height), std::max(largest.width, size.width)};
    input.sizes.push_back(size);
  }
  const std::int64_t multiple = options.fixed_size ? 1 : std::max(1, options.size_divisibility);
  const auto padded = [&](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  const auto n = static_cast<std::int64_t>(frames.size());
  const std::int64_t height = padded(largest.height), width = padded(largest.width), c = options.channels;
  const bool filled = std::all_of(input.sizes.begin(), input.sizes.end(), [&](FrameSize size) {
    return size.height == height && size.width == width;
  });
  const auto shape =
      options.channels_last ? std::array{n, height, width, c} : std::array{n, c, height, width};
  const bool zeros = options.padding == std::array<float, 3>{};
  input.data = filled || !zeros ? at::empty(shape, at::kFloat) : at::zeros(shape, at::kFloat);
  const at::Tensor planes = options.channels_last ? input.data.movedim(3, 1) : input.data;
  if (!filled && !zeros) write_padding(options, planes);
  const std::array<std::int64_t, 2> info_shape = {n, 3};
  input.im_info = at::empty(info_shape, at::kFloat);
  auto* info = input.im_info.mutable_data_ptr<float>();
  for (size_t i = 0; i < frames.size(); i++) {
    const FrameSize size = input.sizes[i];
    const at::Tensor to = planes.select(0, static_cast<std::int64_t>(i));
    const bool as_it_is = size == FrameSize{frames[i].height, frames[i].width};
    if (options.resize_mode == ResizeMode::kBilinear && !as_it_is)
      write_planes<float>(interpolate_frame(frames[i], size), frames[i].format, options, to);
    else
      write_planes<std::uint8_t>(resize_frame(frames[i], size), frames[i].format, options, to);
    *info++ = static_cast<float>(size.height);
    *info++ = static_cast<float>(size.width);
    *info++ = static_cast<float>(static_cast<double>(frames[i].height) / size.height);
  }
  return input;
}

}  // namespace caffe2rt
