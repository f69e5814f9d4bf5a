#include "kernels/unpack_pixels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/unpack_pixels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

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

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::unpack
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt {
namespace unpack {
HWY_EXPORT(UnpackPacked);
}

size_t unpacked_row_size(int width) { return static_cast<size_t>(width) * unpack::kPixel; }

void unpack_row(const FrameView& frame, int y, bool rgb, std::uint8_t* to) {
  using namespace unpack;
  HWY_DYNAMIC_DISPATCH(UnpackPacked)
  (frame.row(y), frame.width, bytes_per_pixel(frame.format), Order(frame.format, rgb), to);
}

}  // namespace caffe2rt
#endif
