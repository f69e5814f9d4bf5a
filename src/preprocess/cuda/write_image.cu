#include "kernels/frame_pixel.h"
#include "preprocess/cuda/write_image.h"

namespace caffe2rt::cuda {
namespace {

__device__ std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// Three samples in the order wanted.
template <class T>
struct Samples {
  T values[3];
};

__device__ Samples<std::uint8_t> ordered(const Rgb& pixel, bool rgb) {
  return {{rgb ? pixel.red : pixel.blue, pixel.green, rgb ? pixel.blue : pixel.red}};
}

__device__ std::uint8_t level(int sum, int precision) {
  const int whole = sum >> precision;
  return static_cast<std::uint8_t>(whole > 255 ? 255 : whole);
}

// Weighted sums of a place's neighbours; `at(i)` gives the samples of the i-th pixel or row.
template <class At>
__device__ Samples<std::uint8_t> resized(const ResizedAxis& axis, int place, const At& at) {
  int sums[3];
  for (int& sum : sums) sum = 1 << (axis.precision - 1);
  for (int t = 0; t < axis.count[place]; t++) {
    const Samples<std::uint8_t> samples = at(axis.first[place] + t);
    const int weight = axis.weights[static_cast<std::int64_t>(place) * axis.taps + t];
    for (int c = 0; c < 3; c++) sums[c] += weight * samples.values[c];
  }
  return {{level(sums[0], axis.precision), level(sums[1], axis.precision), level(sums[2], axis.precision)}};
}

// Each row of the frame, its columns resized.
__global__ void column_kernel(WrittenImage m) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(m.frame.height) * m.width) return;
  const int x = static_cast<int>(i % m.width), y = static_cast<int>(i / m.width);
  const Samples<std::uint8_t> samples =
      resized(m.columns, x, [&](int from) { return ordered(pixel_of(m.frame, from, y), m.rgb); });
  for (int c = 0; c < 3; c++) m.between[i * 3 + c] = samples.values[c];
}

// Where a row or column lies between two of the frame: preprocess.cpp's make_taps.
struct Tap {
  int low, high;
  float weight;  // of `high`
};

__device__ Tap tap_of(int from, int to, int i) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  float place = scale * (static_cast<float>(i) + 0.5F) - 0.5F;
  place = place > 0 ? place : 0;
  const int low = static_cast<int>(place) < from - 1 ? static_cast<int>(place) : from - 1;
  const float weight = place - static_cast<float>(low);
  return {low, low + 1 < from ? low + 1 : from - 1, weight < 1 ? weight : 1};
}

__device__ Samples<float> between_four(const WrittenImage& m, int x, int y) {
  const Tap row = tap_of(m.frame.height, m.height, y), column = tap_of(m.frame.width, m.width, x);
  const auto between_rows = [&](int at) {
    const Samples<std::uint8_t> low = ordered(pixel_of(m.frame, at, row.low), m.rgb),
                                high = ordered(pixel_of(m.frame, at, row.high), m.rgb);
    Samples<float> sum;
    for (int c = 0; c < 3; c++)
      sum.values[c] = (1 - row.weight) * static_cast<float>(low.values[c]) +
                      row.weight * static_cast<float>(high.values[c]);
    return sum;
  };
  const Samples<float> left = between_rows(column.low), right = between_rows(column.high);
  Samples<float> sum;
  for (int c = 0; c < 3; c++)
    sum.values[c] = (1 - column.weight) * left.values[c] + column.weight * right.values[c];
  return sum;
}

__device__ float luma(const Samples<std::uint8_t>& s) {
  return static_cast<float>((s.values[0] * 19595 + s.values[1] * 38470 + s.values[2] * 7471 + 0x8000) >> 16);
}
__device__ float luma(const Samples<float>& s) {
  return (s.values[0] * 19595 + s.values[1] * 38470 + s.values[2] * 7471) / 65536;
}

template <class T>
__device__ void write(const WrittenImage& m, const Samples<T>& samples, float* to) {
  if (m.channels == 1) {
    *to = m.frame.format == PixelFormat::kGray ? static_cast<float>(samples.values[0]) : luma(samples);
    return;
  }
  for (int c = 0; c < 3; c++) to[c] = static_cast<float>(samples.values[c]);
}

__global__ void image_kernel(WrittenImage m) {
  const std::int64_t i = thread_index();
  if (i >= static_cast<std::int64_t>(m.data_height) * m.data_width) return;
  const int x = static_cast<int>(i % m.data_width), y = static_cast<int>(i / m.data_width);
  float* to = m.data + i * m.channels;
  if (x >= m.width || y >= m.height) {
    for (int c = 0; c < m.channels; c++) to[c] = m.padding[c];
    return;
  }
  switch (m.resizing) {
    case Resizing::kNone:
      return write(m, ordered(pixel_of(m.frame, x, y), m.rgb), to);
    case Resizing::kBilinear:
      return write(m, between_four(m, x, y), to);
    case Resizing::kAntialiased:
      return write(m,
                   resized(m.rows, y,
                           [&](int from) {
                             const std::uint8_t* s =
                                 m.between + (static_cast<std::int64_t>(from) * m.width + x) * 3;
                             return Samples<std::uint8_t>{{s[0], s[1], s[2]}};
                           }),
                   to);
  }
}

}  // namespace

void write_image(const WrittenImage& m, cudaStream_t stream) {
  if (m.resizing == Resizing::kAntialiased)
    launch_for(static_cast<std::int64_t>(m.frame.height) * m.width, column_kernel, stream, m);
  launch_for(static_cast<std::int64_t>(m.data_height) * m.data_width, image_kernel, stream, m);
}

}  // namespace caffe2rt::cuda
