// MaxPool of a convolution's results as they come, line by line, for the kernels that are compiled once a
// vector width: included by them, once each width. Windows are 3x3, two apart, padded by one.
#if defined(CAFFE2RT_POOLED_LINES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAFFE2RT_POOLED_LINES_INL_H
#undef CAFFE2RT_POOLED_LINES_INL_H
#else
#define CAFFE2RT_POOLED_LINES_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "kernels/encoding-inl.h"
#include "kernels/pooled_lines.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::pooled_lines {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using encoding::HWY_NAMESPACE::Encoder;
using encoding::HWY_NAMESPACE::Tag;
using encoding::HWY_NAMESPACE::Vec;

// The windows of lines [first, last) of an image, which become lines of y.
class Pool {
 public:
  // `sums`: two lines of y in float32, for windows that are not complete.
  Pool(const matmul_conv::Problem& p, size_t image, int first, int last, float* sums)
      : p_(p), image_(image), first_(first), last_(last), sums_(sums), encode_(p.y.encoding) {}

  // Takes the results of line `line`, one after the other.
  void add(int line, const float* results) const {
    take(line / 2, line, results);
    if (line % 2 != 0) take(line / 2 + 1, line, results);
  }

 private:
  // What a line of results is to the windows of a line.
  void take(int window, int line, const float* results) const {
    if (window < first_ || window >= last_) return;
    const size_t channels = p_.filters, across = p_.pool_width();
    float* sums = sums_ + static_cast<size_t>(window % 2) * across * channels;
    const Target y = p_.y.from((image_ * p_.pool_height() + static_cast<size_t>(window)) * across * channels);
    const bool is_first = line == std::max(2 * window - 1, 0),
               is_last = line == std::min(2 * window + 1, p_.out_height - 1);
    for (size_t i = 0; i < across; i++) {
      const size_t middle = 2 * i * channels, at = i * channels;
      const Pixel pixel{
          results + middle, results + (i > 0 ? middle - channels : middle),
          results + (2 * i + 1 < static_cast<size_t>(p_.out_width) ? middle + channels : middle),
          is_first ? results + middle : sums + at};
      if (is_last)
        pixel.largest(
            channels, [&](Vec v, size_t c) { encode_(v, y, at + c); },
            [&](float v, size_t c) { y.set(at + c, v); });
      else
        pixel.largest(
            channels, [&](Vec v, size_t c) { hn::StoreU(v, Tag(), sums + at + c); },
            [&](float v, size_t c) { sums[at + c] = v; });
    }
  }

  // Where the numbers of a window lie that are there so far.
  struct Pixel {
    const float *middle, *before, *behind, *sums;

    template <class Store, class StoreOne>
    HWY_INLINE void largest(size_t channels, Store&& store, StoreOne&& store_one) const {
      const Tag tag;
      const auto load = [&](const float* from, size_t c) { return hn::LoadU(tag, from + c); };
      size_t c = 0;
      for (; c + hn::Lanes(tag) <= channels; c += hn::Lanes(tag))
        store(hn::Max(hn::Max(load(before, c), load(middle, c)), hn::Max(load(behind, c), load(sums, c))), c);
      for (; c < channels; c++) store_one(std::max({before[c], middle[c], behind[c], sums[c]}), c);
    }
  };

  const matmul_conv::Problem& p_;
  const size_t image_;
  const int first_, last_;
  float* const sums_;
  const Encoder encode_;
};

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::pooled_lines
HWY_AFTER_NAMESPACE();

#endif
