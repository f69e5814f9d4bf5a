// preprocess() on a GPU: frames go there as they are, which is an eighth of what `data` would be, and become
// `data` there. Those in a GPU's memory already, of whatever context, are copied within it.
#include "preprocess/preprocess.h"

#include <ATen/Parallel.h>
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

// What the device needs to have in one piece of its memory.
class Upload {
 public:
  // `rows` rows of so many bytes, `stride` apart where they are and one after the other there. They have to
  // stay until bring_to(). Returns the part's number.
  std::size_t add(FrameMemory memory, const void* from, std::ptrdiff_t stride, std::size_t row, int rows) {
    parts_.push_back({memory, static_cast<const std::uint8_t*>(from), stride, row, rows});
    return parts_.size() - 1;
  }

  void bring_to(c10::Device device) {
    const std::size_t of_host = place(FrameMemory::kHost, 0), all = place(FrameMemory::kGpu, of_host);
    there_ = at::empty({static_cast<std::int64_t>(all)}, at::TensorOptions(at::kByte).device(device));
    copy_from_host(static_cast<std::int64_t>(of_host));
    for (const Part& part : parts_)
      if (part.memory == FrameMemory::kGpu)
        check(cudaMemcpy2DAsync(there_.mutable_data_ptr<std::uint8_t>() + part.at, part.row, part.from,
                                static_cast<std::size_t>(part.stride), part.row,
                                static_cast<std::size_t>(part.rows), cudaMemcpyDefault, stream()));
  }

  // Where a part is now.
  const std::uint8_t* operator[](std::size_t part) const {
    return there_.const_data_ptr<std::uint8_t>() + parts_[part].at;
  }

 private:
  struct Part {
    FrameMemory memory;
    const std::uint8_t* from;
    std::ptrdiff_t stride;
    std::size_t row;
    int rows;
    std::size_t at = 0;
  };

  // Gives parts their place from there on; returns where the last one ends.
  std::size_t place(FrameMemory memory, std::size_t from) {
    constexpr std::size_t kBoundary = 256;
    for (Part& part : parts_) {
      if (part.memory != memory) continue;
      part.at = (from + kBoundary - 1) / kBoundary * kBoundary;
      from = part.at + part.row * static_cast<std::size_t>(part.rows);
    }
    return from;
  }

  // By way of pinned memory, which the device reads while this thread goes on.
  void copy_from_host(std::int64_t bytes) const {
    constexpr std::int64_t kGrain = std::int64_t{1} << 20;  // bytes of a thread
    const at::Tensor there = there_.narrow(0, 0, bytes);
    const at::Tensor here = at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(!there.is_cpu()));
    for (const Part& part : parts_) {
      if (part.memory != FrameMemory::kHost) continue;
      std::uint8_t* const to = here.mutable_data_ptr<std::uint8_t>() + part.at;
      const auto row = static_cast<std::int64_t>(part.row);
      at::parallel_for(0, part.rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, row)),
                       [&](std::int64_t begin, std::int64_t end) {
                         for (std::int64_t y = begin; y < end; y++)
                           std::memcpy(to + y * row, part.from + y * part.stride, part.row);
                       });
    }
    there.copy_(here, /*non_blocking=*/true);
  }

  std::vector<Part> parts_;
  at::Tensor there_;
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

  void write(const Upload& uploaded, int image, const at::Tensor& data) {
    m_.frame.data = uploaded[luma_];
    if (m_.frame.format == PixelFormat::kYuv420) {
      m_.frame.yuv.u = uploaded[u_] + (v_first_ ? 1 : 0);
      m_.frame.yuv.v = uploaded[v_] + (u_first_ ? 1 : 0);
    }
    m_.data_height = static_cast<int>(data.size(2));
    m_.data_width = static_cast<int>(data.size(3));
    m_.data = data.mutable_data_ptr<float>() + image * data.stride(0);
    at::Tensor between;
    if (m_.resizing == Resizing::kAntialiased) {
      between = at::empty({m_.frame.height, m_.width, 3}, data.options().dtype(at::kByte));
      m_.between = between.mutable_data_ptr<std::uint8_t>();
      set_axis(uploaded, rows_, m_.rows);
      set_axis(uploaded, columns_, m_.columns);
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
    luma_ = upload.add(frame.memory, frame.data, frame.stride, row, frame.height);
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
      u_ = v_ = upload.add(frame.memory, std::min(yuv.u, yuv.v), yuv.stride, chroma, rows);
      u_first_ = yuv.u < yuv.v;
      v_first_ = !u_first_;
      return;
    }
    u_ = upload.add(frame.memory, yuv.u, yuv.stride, chroma, rows);
    v_ = upload.add(frame.memory, yuv.v, yuv.stride, chroma, rows);
  }

  static AxisAt add_axis(resize::Axis axis, ResizedAxis& to, Upload& upload) {
    to.from = axis.from;
    to.to = axis.to;
    to.taps = axis.taps;
    to.precision = axis.precision;
    AxisAt at{std::move(axis)};
    const auto add = [&](const auto& numbers) {
      return upload.add(FrameMemory::kHost, numbers.data(), 0, numbers.size() * sizeof(numbers[0]), 1);
    };
    at.first = add(at.axis.first);
    at.count = add(at.axis.count);
    at.weights = add(at.axis.weights);
    return at;
  }
  static void set_axis(const Upload& uploaded, const AxisAt& at, ResizedAxis& axis) {
    axis.first = reinterpret_cast<const int*>(uploaded[at.first]);
    axis.count = reinterpret_cast<const int*>(uploaded[at.count]);
    axis.weights = reinterpret_cast<const std::int16_t*>(uploaded[at.weights]);
  }

  WrittenImage m_;
  std::size_t luma_ = 0, u_ = 0, v_ = 0;    // parts
  bool u_first_ = false, v_first_ = false;  // of one part for both
  AxisAt rows_, columns_;
};

void write_images(std::span<const FrameView> frames, const std::vector<FrameSize>& sizes,
                  const PreprocessOptions& options, const at::Tensor& data) {
  const c10::DeviceGuard guard(data.device());
  Upload upload;
  std::vector<UploadedImage> images;
  for (std::size_t i = 0; i < frames.size(); i++) images.emplace_back(frames[i], sizes[i], options, upload);
  upload.bring_to(data.device());
  for (std::size_t i = 0; i < images.size(); i++) images[i].write(upload, static_cast<int>(i), data);
}

const RegisteredImageWriter writer(write_images);

}  // namespace
}  // namespace caffe2rt::cuda
