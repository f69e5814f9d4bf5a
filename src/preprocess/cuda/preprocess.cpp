// preprocess() on a GPU: frames go there as they are, which is an eighth of what `data` would be, and become
// `data` there.
#include "preprocess/preprocess.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/resize.h"
#include "ops/cuda/tensors.h"
#include "preprocess/cuda/write_image.h"

namespace caffe2rt::cuda {
namespace {

// What is to be brought to the device at once.
class Upload {
 public:
  // `rows` rows of so many bytes, `stride` apart here and one after the other there. Returns where they will
  // be. They have to stay until bring_to().
  std::size_t add(const void* from, std::ptrdiff_t stride, std::size_t row, int rows) {
    constexpr std::size_t kBoundary = 256;
    const std::size_t at = (size_ + kBoundary - 1) / kBoundary * kBoundary;
    parts_.push_back({static_cast<const std::uint8_t*>(from), stride, row, rows, at});
    size_ = at + row * static_cast<std::size_t>(rows);
    return at;
  }

  // By way of pinned memory, which the device reads while this thread goes on.
  at::Tensor bring_to(c10::Device device) const {
    const auto options = at::TensorOptions(at::kByte).pinned_memory(!device.is_cpu());
    at::Tensor here = at::empty({static_cast<std::int64_t>(size_)}, options);
    for (const Part& part : parts_) {
      std::uint8_t* to = here.mutable_data_ptr<std::uint8_t>() + part.at;
      for (int y = 0; y < part.rows; y++, to += part.row)
        std::memcpy(to, part.from + y * part.stride, part.row);
    }
    return here.to(device, at::kByte, /*non_blocking=*/true);
  }

 private:
  struct Part {
    const std::uint8_t* from;
    std::ptrdiff_t stride;
    std::size_t row;
    int rows;
    std::size_t at;
  };
  std::vector<Part> parts_;
  std::size_t size_ = 0;
};

// A frame and its axes in an upload; pointers are set when that has come to the device.
class UploadedImage {
 public:
  UploadedImage(const FrameView& frame, FrameSize size, const PreprocessOptions& options, Upload& upload) {
    m_.frame = frame;
    m_.height = size.height;
    m_.width = size.width;
    m_.rgb = options.rgb || options.channels == 1;
    m_.channels = options.channels;
    std::ranges::copy(options.padding, m_.padding);
    add_pixels(frame, upload);
    if (size == FrameSize{frame.height, frame.width}) return;
    m_.resizing = options.resize_mode == ResizeMode::kBilinear ? Resizing::kBilinear : Resizing::kAntialiased;
    if (m_.resizing == Resizing::kBilinear) return;
    rows_ = add_axis(resize::make_axis(frame.height, size.height), m_.rows, upload);
    columns_ = add_axis(resize::make_axis(frame.width, size.width), m_.columns, upload);
  }

  void write(const at::Tensor& uploaded, int image, const at::Tensor& data) {
    const auto* base = uploaded.const_data_ptr<std::uint8_t>();
    m_.frame.data = base + luma_;
    m_.frame.yuv.u = base + u_;
    m_.frame.yuv.v = base + v_;
    m_.data_height = static_cast<int>(data.size(2));
    m_.data_width = static_cast<int>(data.size(3));
    m_.data = data.mutable_data_ptr<float>() + image * data.stride(0);
    at::Tensor between;
    if (m_.resizing == Resizing::kAntialiased) {
      between = at::empty({m_.frame.height, m_.width, 3}, data.options().dtype(at::kByte));
      m_.between = between.mutable_data_ptr<std::uint8_t>();
      set_axis(base, rows_, m_.rows);
      set_axis(base, columns_, m_.columns);
    }
    write_image(m_, stream());
    check_launch();
  }

 private:
  struct AxisAt {
    resize::Axis axis;  // stays until it was brought there
    std::size_t first = 0, count = 0, weights = 0;
  };

  // Rows without what lies between them.
  void add_pixels(const FrameView& frame, Upload& upload) {
    const auto row =
        static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(bytes_per_pixel(frame.format));
    luma_ = upload.add(frame.data, frame.stride, row, frame.height);
    m_.frame.stride = static_cast<std::ptrdiff_t>(row);
    if (frame.format != PixelFormat::kYuv420) return;
    const int columns = (frame.width + 1) / 2, rows = (frame.height + 1) / 2;
    const Yuv& yuv = frame.yuv;
    // The two planes interleaved are one; of a plane the last row ends with its last sample.
    const bool one = yuv.step == 2 && (yuv.v == yuv.u + 1 || yuv.u == yuv.v + 1);
    const std::size_t chroma =
        static_cast<std::size_t>(columns - 1) * static_cast<std::size_t>(yuv.step) + (one ? 2 : 1);
    m_.frame.yuv.stride = static_cast<std::ptrdiff_t>(chroma);
    if (one) {
      const std::size_t at = upload.add(std::min(yuv.u, yuv.v), yuv.stride, chroma, rows);
      u_ = at + (yuv.u < yuv.v ? 0 : 1);
      v_ = at + (yuv.u < yuv.v ? 1 : 0);
      return;
    }
    u_ = upload.add(yuv.u, yuv.stride, chroma, rows);
    v_ = upload.add(yuv.v, yuv.stride, chroma, rows);
  }

  static AxisAt add_axis(resize::Axis axis, ResizedAxis& to, Upload& upload) {
    to.from = axis.from;
    to.to = axis.to;
    to.taps = axis.taps;
    to.precision = axis.precision;
    AxisAt at{std::move(axis)};
    const auto add = [&](const auto& numbers) {
      return upload.add(numbers.data(), 0, numbers.size() * sizeof(numbers[0]), 1);
    };
    at.first = add(at.axis.first);
    at.count = add(at.axis.count);
    at.weights = add(at.axis.weights);
    return at;
  }
  static void set_axis(const std::uint8_t* base, const AxisAt& at, ResizedAxis& axis) {
    axis.first = reinterpret_cast<const int*>(base + at.first);
    axis.count = reinterpret_cast<const int*>(base + at.count);
    axis.weights = reinterpret_cast<const std::int16_t*>(base + at.weights);
  }

  WrittenImage m_;
  std::size_t luma_ = 0, u_ = 0, v_ = 0;
  AxisAt rows_, columns_;
};

void write_images(std::span<const FrameView> frames, const std::vector<FrameSize>& sizes,
                  const PreprocessOptions& options, const at::Tensor& data) {
  const c10::DeviceGuard guard(data.device());
  Upload upload;
  std::vector<UploadedImage> images;
  for (std::size_t i = 0; i < frames.size(); i++) images.emplace_back(frames[i], sizes[i], options, upload);
  const at::Tensor uploaded = upload.bring_to(data.device());
  for (std::size_t i = 0; i < images.size(); i++) images[i].write(uploaded, static_cast<int>(i), data);
}

const RegisteredImageWriter writer(write_images);

}  // namespace
}  // namespace caffe2rt::cuda
