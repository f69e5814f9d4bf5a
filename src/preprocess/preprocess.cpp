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

// Which sample of a pixel each channel of the net's input is.
std::array<std::int64_t, 3> samples_of_channels(PixelFormat format, bool rgb) {
  if (format == PixelFormat::kGray) return {0, 0, 0};
  const bool pixels_rgb = format == PixelFormat::kRgb || format == PixelFormat::kRgbx;
  if (pixels_rgb == rgb) return {0, 1, 2};
  return {2, 1, 0};
}

// Writes an image, (1,C,height,width) uint8, into the top left corner of `planes`, (3,H,W) float32
// contiguous.
void write_planes(const at::Tensor& image, std::array<std::int64_t, 3> samples, const at::Tensor& planes) {
  const std::int64_t height = image.size(2), width = image.size(3), step = image.stride(3);
  at::parallel_for(0, height, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = 0; c < 3; c++) {
      for (std::int64_t y = begin; y < end; y++) {
        const std::uint8_t* from = image.const_data_ptr<std::uint8_t>() + y * image.stride(2) + samples[c];
        float* to = planes.mutable_data_ptr<float>() + c * planes.stride(0) + y * planes.stride(1);
        for (std::int64_t x = 0; x < width; x++) to[x] = from[x * step];
      }
    }
  });
}

}  // namespace

FrameSize resized_size(FrameSize frame, const PreprocessOptions& options) {
  if (options.min_size == 0) return frame;
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

NetInput preprocess(std::span<const FrameView> frames, const PreprocessOptions& options) {
  NetInput input;
  FrameSize largest;
  for (const FrameView& frame : frames) {
    check(frame);
    const FrameSize size = resized_size({frame.height, frame.width}, options);
    largest = {std::max(largest.height, size.height), std::max(largest.width, size.width)};
    input.sizes.push_back(size);
  }
  const std::int64_t multiple = std::max(1, options.size_divisibility);
  const auto padded = [&](std::int64_t n) { return (n + multiple - 1) / multiple * multiple; };
  const auto n = static_cast<std::int64_t>(frames.size());
  const std::array<std::int64_t, 4> shape = {n, 3, padded(largest.height), padded(largest.width)};
  const bool filled = std::all_of(input.sizes.begin(), input.sizes.end(), [&](FrameSize size) {
    return size.height == shape[2] && size.width == shape[3];
  });
  input.data = filled ? at::empty(shape, at::kFloat) : at::zeros(shape, at::kFloat);
  const std::array<std::int64_t, 2> info_shape = {n, 3};
  input.im_info = at::empty(info_shape, at::kFloat);
  auto* info = input.im_info.mutable_data_ptr<float>();
  for (size_t i = 0; i < frames.size(); i++) {
    const FrameSize size = input.sizes[i];
    write_planes(resize_frame(frames[i], size), samples_of_channels(frames[i].format, options.rgb),
                 input.data.select(0, static_cast<std::int64_t>(i)));
    *info++ = static_cast<float>(size.height);
    *info++ = static_cast<float>(size.width);
    *info++ = static_cast<float>(static_cast<double>(frames[i].height) / size.height);
  }
  return input;
}

}  // namespace caffe2rt
