// Vectors of float32 from and to arrays of other formats, for the kernels that are compiled once a vector
// width: included by them, once each width.
#if defined(CAFFE2RT_ENCODING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAFFE2RT_ENCODING_INL_H
#undef CAFFE2RT_ENCODING_INL_H
#else
#define CAFFE2RT_ENCODING_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/encoding.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::encoding {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

// What the numbers of an array stand for.
class Decoder {
 public:
  explicit Decoder(const Encoding& encoding)
      : scale_(hn::Set(Tag(), encoding.scale)), zero_(hn::Set(hn::Rebind<int32_t, Tag>(), encoding.zero)) {}

  HWY_INLINE Vec operator()(const float* from) const { return hn::LoadU(Tag(), from); }
  HWY_INLINE Vec operator()(const uint16_t* from) const {
    const hn::Rebind<uint32_t, Tag> words;
    return hn::BitCast(Tag(),
                       hn::ShiftLeft<16>(hn::PromoteTo(words, hn::LoadU(hn::Rebind<uint16_t, Tag>(), from))));
  }
  HWY_INLINE Vec operator()(const uint8_t* from) const {
    const hn::Rebind<int32_t, Tag> integers;
    const auto q = hn::PromoteTo(integers, hn::LoadU(hn::Rebind<uint8_t, Tag>(), from));
    return hn::Mul(hn::ConvertTo(Tag(), hn::Sub(q, zero_)), scale_);
  }

  // Of an array of any format.
  HWY_INLINE Vec operator()(const Source& from, size_t at) const {
    switch (from.encoding.format) {
      case Format::kBfloat16:
        return (*this)(from.as<uint16_t>() + at);
      case Format::kUint8:
        return (*this)(from.as<uint8_t>() + at);
      case Format::kFloat32:
        break;
    }
    return (*this)(from.floats() + at);
  }

 private:
  Vec scale_;
  hn::Vec<hn::Rebind<int32_t, Tag>> zero_;
};

// The other way round: rounded as to_bfloat16() and to_uint8() do.
class Encoder {
 public:
  explicit Encoder(const Encoding& encoding)
      : inverse_(hn::Set(Tag(), 1 / encoding.scale)),
        zero_(hn::Set(hn::Rebind<int32_t, Tag>(), encoding.zero)) {}

  // What is stored of each, as integers of 32 bits.
  HWY_INLINE auto upper_halves(Vec v) const {
    const hn::Rebind<uint32_t, Tag> words;
    const auto bits = hn::BitCast(words, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(words, 0x7fff))));
    const auto strange = hn::Or(hn::ShiftRight<16>(bits), hn::Set(words, 0x40));
    return hn::BitCast(hn::Rebind<int32_t, Tag>(),
                       hn::IfThenElse(hn::RebindMask(words, hn::Eq(v, v)), rounded, strange));
  }
  HWY_INLINE auto octets(Vec v) const {
    const Tag tag;
    const Vec far = hn::Set(tag, 1e6F);  // must not be carried round by the zero
    const Vec number = hn::IfThenElse(hn::Eq(v, v), hn::Mul(v, inverse_), hn::Neg(far));
    const auto q = hn::Add(hn::NearestInt(hn::Clamp(number, hn::Neg(far), far)), zero_);
    return hn::DemoteTo(hn::Rebind<uint8_t, Tag>(), q);
  }

  HWY_INLINE void operator()(Vec v, float* to) const { hn::StoreU(v, Tag(), to); }
  HWY_INLINE void operator()(Vec v, uint16_t* to) const {
    const hn::Rebind<uint16_t, Tag> halves;
    hn::StoreU(hn::DemoteTo(halves, upper_halves(v)), halves, to);
  }
  HWY_INLINE void operator()(Vec v, uint8_t* to) const {
    hn::StoreU(octets(v), hn::Rebind<uint8_t, Tag>(), to);
  }

  // To an array of any format.
  HWY_INLINE void operator()(Vec v, const Target& to, size_t at) const {
    switch (to.encoding.format) {
      case Format::kFloat32:
        return (*this)(v, to.floats() + at);
      case Format::kBfloat16:
        return (*this)(v, to.as<uint16_t>() + at);
      case Format::kUint8:
        return (*this)(v, to.as<uint8_t>() + at);
    }
  }

 private:
  Vec inverse_;
  hn::Vec<hn::Rebind<int32_t, Tag>> zero_;
};

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::encoding
HWY_AFTER_NAMESPACE();

#endif
