#include "kernels/unpack_pixels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/unpack_pixels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/frame_pixel.h"

// What is the same for every vector width: once a file, however often it is included.
#ifndef CAFFE2RT_UNPACK_PIXELS_ORDER
#define CAFFE2RT_UNPACK_PIXELS_ORDER
namespace caffe2rt::unpack {

constexpr int kBlock = 16;  // bytes of four pixels
constexpr int kPixel = 4;   // bytes

inline bool is_rgb(PixelFormat format) { return format == PixelFormat::kRgb || format == PixelFormat::kRgbx; }

// Where the samples of four pixels lie among the frame's bytes, in the order wanted.
struct Order {
  alignas(kBlock) std::uint8_t bytes[kBlock];

  Order(PixelFormat format, bool rgb) {
    const int step = bytes_per_pixel(format);
    for (int i = 0; i < kBlock; i++) {
      const int sample = std::min(i % kPixel, 2);
      const int place = step == 1 ? 0 : is_rgb(format) == rgb ? sample : 2 - sample;
      bytes[i] = static_cast<std::uint8_t>(i / kPixel * step + place);
    }
  }
};

constexpr int kChunk = 512;        // pixels of a row of YUV that are unpacked at a time
constexpr int kHalf = kChunk / 2;  // samples of chroma
constexpr int kVector = 64;   // bytes of the widest vector, that may be read and written beyond a row's end
constexpr int kMiddle = 128;  // of a sample's levels

// Samples of luma and chroma of a chunk, as many as there are pixels.
struct Planes {
  alignas(kVector) std::uint8_t y[kChunk + kVector], u[kChunk + 2 * kVector], v[kChunk + 2 * kVector];
};

// Samples of a row of chroma from the one before a chunk to the one after it.
struct ChromaRow {
  std::uint8_t u[1 + kHalf + 1 + kVector], v[1 + kHalf + 1 + kVector];
};

}  // namespace caffe2rt::unpack
#endif

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::unpack {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Pixels of `step` bytes.
void UnpackPacked(const std::uint8_t* from, int width, int step, const Order& order, std::uint8_t* to) {
  int x = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<std::uint8_t> tag;
  const auto places = hn::Load(tag, order.bytes);
  for (; (width - x) * step >= kBlock; x += kPixel)
    hn::StoreU(hn::TableLookupBytes(hn::LoadU(tag, from + static_cast<ptrdiff_t>(x) * step), places), tag,
               to + static_cast<ptrdiff_t>(x) * kPixel);
#endif
  for (; x < width; x++)
    for (int i = 0; i < kPixel; i++)
      to[x * kPixel + i] = from[static_cast<ptrdiff_t>(x) * step + order.bytes[i]];
}

#if HWY_TARGET == HWY_SCALAR

void upsample(const std::uint8_t* near, const std::uint8_t* far, int count, ChromaFilter filter,
              std::uint8_t* to) {
  for (int i = 0; i < 2 * count; i++) {
    const auto filtered = [&](const std::uint8_t* row) {
      const std::uint8_t* own = row + 1 + i / 2;
      return filter_columns(own[-1], own[0], own[1], i % 2 == 1, filter);
    };
    to[i] = static_cast<std::uint8_t>(three_to_one(filtered(near), filtered(far)));
  }
}

void convert(const Planes& planes, int count, const YuvMatrix& m, bool rgb, std::uint8_t* to) {
  for (int i = 0; i < count; i++, to += kPixel) {
    const Rgb pixel = to_rgb(planes.y[i], planes.u[i], planes.v[i], m);
    to[rgb ? 0 : 2] = pixel.red;
    to[1] = pixel.green;
    to[rgb ? 2 : 0] = pixel.blue;
  }
}

#else

using Bytes = hn::CappedTag<std::uint8_t, kVector>;
using Words = hn::Repartition<std::uint16_t, Bytes>;
using Shorts = hn::Repartition<std::int16_t, Bytes>;
using ByteVec = hn::Vec<Bytes>;
using WordVec = hn::Vec<Words>;
using ShortVec = hn::Vec<Shorts>;

// Every second byte, as numbers, and back.
struct Split {
  WordVec even, odd;

  Split(WordVec e, WordVec o) : even(e), odd(o) {}
  explicit Split(ByteVec v)
      : even(hn::And(hn::BitCast(Words(), v), hn::Set(Words(), 255))),
        odd(hn::ShiftRight<8>(hn::BitCast(Words(), v))) {}
  ByteVec joined() const { return hn::BitCast(Bytes(), hn::Or(even, hn::ShiftLeft<8>(odd))); }
};

HWY_INLINE WordVec three_to_one(WordVec a, WordVec b) {
  return hn::ShiftRight<2>(hn::Add(hn::Add(hn::Add(a, a), hn::Add(a, b)), hn::Set(Words(), 2)));
}
HWY_INLINE Split three_to_one(const Split& a, const Split& b) {
  return {three_to_one(a.even, b.even), three_to_one(a.odd, b.odd)};
}

// The chroma of left (or right) columns of pixels.
template <ChromaFilter kFilter, bool kRight>
HWY_INLINE Split filtered(const std::uint8_t* chroma) {
  const Bytes bytes;
  const ByteVec own = hn::LoadU(bytes, chroma);
  if constexpr (kFilter == ChromaFilter::kBetween)
    return three_to_one(Split(own), Split(hn::LoadU(bytes, chroma + (kRight ? 1 : -1))));
  if constexpr (kFilter == ChromaFilter::kCosited && kRight)
    return Split(hn::AverageRound(own, hn::LoadU(bytes, chroma + 1)));
  return Split(own);
}

template <ChromaFilter kFilter>
void upsample_by(const std::uint8_t* near, const std::uint8_t* far, int count, std::uint8_t* to) {
  const Bytes bytes;
  const int lanes = static_cast<int>(hn::Lanes(bytes));
  for (int i = 0; i < count; i += lanes) {
    const std::uint8_t *n = near + 1 + i, *f = far + 1 + i;
    const Split left = three_to_one(filtered<kFilter, false>(n), filtered<kFilter, false>(f)),
                right = three_to_one(filtered<kFilter, true>(n), filtered<kFilter, true>(f));
    hn::StoreInterleaved2(left.joined(), right.joined(), bytes, to + 2 * i);
  }
}

// (count) samples of chroma of two rows -> (2 count) of pixels. First along the rows, then between them.
void upsample(const std::uint8_t* near, const std::uint8_t* far, int count, ChromaFilter filter,
              std::uint8_t* to) {
  switch (filter) {
    case ChromaFilter::kNearest:
      return upsample_by<ChromaFilter::kNearest>(near, far, count, to);
    case ChromaFilter::kBetween:
      return upsample_by<ChromaFilter::kBetween>(near, far, count, to);
    case ChromaFilter::kCosited:
      return upsample_by<ChromaFilter::kCosited>(near, far, count, to);
  }
}

// Samples less 128, in both bytes of a number, of every second byte.
struct Signed {
  ShortVec even, odd;

  explicit Signed(const std::uint8_t* samples) {
    const WordVec v = hn::BitCast(Words(), hn::Xor(hn::LoadU(Bytes(), samples), hn::Set(Bytes(), kMiddle)));
    const WordVec low = hn::And(v, hn::Set(Words(), 0x00FF)), high = hn::AndNot(hn::Set(Words(), 0x00FF), v);
    even = hn::BitCast(Shorts(), hn::Or(low, hn::ShiftLeft<8>(v)));
    odd = hn::BitCast(Shorts(), hn::Or(high, hn::ShiftRight<8>(v)));
  }
  Signed(ShortVec e, ShortVec o) : even(e), odd(o) {}
  Signed times(std::int16_t factor) const {
    const ShortVec f = hn::Set(Shorts(), factor);
    return {hn::MulHigh(even, f), hn::MulHigh(odd, f)};
  }
  Signed plus(const Signed& other) const { return {hn::Add(even, other.even), hn::Add(odd, other.odd)}; }
  ByteVec levels() const {
    const Shorts shorts;
    const auto cut = [&](ShortVec v) {
      return hn::Min(hn::Max(hn::Add(v, hn::Set(shorts, kMiddle)), hn::Zero(shorts)), hn::Set(shorts, 255));
    };
    return hn::BitCast(Bytes(), hn::Or(cut(even), hn::ShiftLeft<8>(cut(odd))));
  }
};

void convert(const Planes& planes, int count, const YuvMatrix& m, bool rgb, std::uint8_t* to) {
  const Bytes bytes;
  const int lanes = static_cast<int>(hn::Lanes(bytes));
  for (int i = 0; i < count; i += lanes) {
    const Signed u(planes.u + i), v(planes.v + i), luma = Signed(planes.y + i).times(m.luma);
    const ByteVec red = luma.plus(v.times(m.red_of_v)).levels(),
                  blue = luma.plus(u.times(m.blue_of_u)).levels(),
                  green = luma.plus(u.times(m.green_of_u)).plus(v.times(m.green_of_v)).levels();
    hn::StoreInterleaved4(rgb ? red : blue, green, rgb ? blue : red, blue, bytes,
                          to + static_cast<ptrdiff_t>(i) * kPixel);
  }
}

#endif

// Chroma continues beyond the frame as it ends.
void read(const FrameView& frame, int row, int first, int count, ChromaRow& to) {
  const int columns = (frame.width + 1) / 2, rows = (frame.height + 1) / 2;
  const ptrdiff_t start = std::clamp(row, 0, rows - 1) * frame.yuv.stride;
  const std::uint8_t *u = frame.yuv.u + start, *v = frame.yuv.v + start;
  const auto put = [&](int from, int place) {
    const ptrdiff_t offset = static_cast<ptrdiff_t>(std::clamp(from, 0, columns - 1)) * frame.yuv.step;
    to.u[place] = u[offset];
    to.v[place] = v[offset];
  };
  put(first - 1, 0);
  int i = 0;
  if (frame.yuv.step == 1) {
    std::memcpy(to.u + 1, u + first, count);
    std::memcpy(to.v + 1, v + first, count);
    i = count;
  }
#if HWY_TARGET != HWY_SCALAR
  if (frame.yuv.step == 2 && v == u + 1) {
    const Bytes bytes;
    const int lanes = static_cast<int>(hn::Lanes(bytes));
    for (; i + lanes <= count; i += lanes) {
      ByteVec blue, red;
      hn::LoadInterleaved2(bytes, u + static_cast<ptrdiff_t>(first + i) * 2, blue, red);
      hn::StoreU(blue, bytes, to.u + 1 + i);
      hn::StoreU(red, bytes, to.v + 1 + i);
    }
  }
#endif
  for (; i <= count; i++) put(first + i, 1 + i);
}

void UnpackYuv(const FrameView& frame, int y, bool rgb, std::uint8_t* to) {
  const Yuv& yuv = frame.yuv;
  const int row = y / 2, neighbour = !yuv.rows_between ? row : y % 2 == 1 ? row + 1 : row - 1;
  Planes planes;
  ChromaRow near, far;
  for (int first = 0; first < frame.width; first += kChunk) {
    const int count = std::min(kChunk, frame.width - first), chroma = (count + 1) / 2;
    std::memcpy(planes.y, frame.row(y) + first, count);
    read(frame, row, first / 2, chroma, near);
    read(frame, neighbour, first / 2, chroma, far);
    upsample(near.u, far.u, chroma, yuv.columns, planes.u);
    upsample(near.v, far.v, chroma, yuv.columns, planes.v);
    convert(planes, count, yuv.matrix, rgb, to + static_cast<ptrdiff_t>(first) * kPixel);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::unpack
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt {
namespace unpack {
HWY_EXPORT(UnpackPacked);
HWY_EXPORT(UnpackYuv);
}  // namespace unpack

size_t unpacked_row_size(int width) {
  return (static_cast<size_t>(width) + unpack::kVector) * unpack::kPixel;
}

void unpack_row(const FrameView& frame, int y, bool rgb, std::uint8_t* to) {
  using namespace unpack;
  if (frame.format == PixelFormat::kYuv420) return HWY_DYNAMIC_DISPATCH(UnpackYuv)(frame, y, rgb, to);
  HWY_DYNAMIC_DISPATCH(UnpackPacked)
  (frame.row(y), frame.width, bytes_per_pixel(frame.format), Order(frame.format, rgb), to);
}

}  // namespace caffe2rt
#endif
