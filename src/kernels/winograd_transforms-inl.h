// The transforms of Winograd's convolution along one axis: included by the kernel, once a vector width.
//
// Source: Lavin and Gray, https://arxiv.org/abs/1509.09308; the points of the larger tile are
// 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, as in https://github.com/andravin/wincnn.
#if defined(CAFFE2RT_WINOGRAD_TRANSFORMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CAFFE2RT_WINOGRAD_TRANSFORMS_INL_H
#undef CAFFE2RT_WINOGRAD_TRANSFORMS_INL_H
#else
#define CAFFE2RT_WINOGRAD_TRANSFORMS_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::winograd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

// B^T d: 6 -> 6.
HWY_INLINE void transform_input(const Vec (&d)[6], Vec (&o)[6]) {
  const Tag tag;
  const Vec two = hn::Set(tag, 2.0F), four = hn::Set(tag, 4.0F), five = hn::Set(tag, 5.0F);
  const Vec a = hn::NegMulAdd(four, d[2], d[4]), b = hn::NegMulAdd(four, d[1], d[3]);
  const Vec c = hn::Sub(d[4], d[2]), e = hn::Mul(two, hn::Sub(d[3], d[1]));
  o[0] = hn::MulAdd(four, d[0], hn::NegMulAdd(five, d[2], d[4]));
  o[1] = hn::Add(a, b);
  o[2] = hn::Sub(a, b);
  o[3] = hn::Add(c, e);
  o[4] = hn::Sub(c, e);
  o[5] = hn::MulAdd(four, d[1], hn::NegMulAdd(five, d[3], d[5]));
}

// A^T m: 6 -> 4.
HWY_INLINE void transform_output(const Vec (&m)[6], Vec (&o)[4]) {
  const Tag tag;
  const Vec two = hn::Set(tag, 2.0F), four = hn::Set(tag, 4.0F), eight = hn::Set(tag, 8.0F);
  const Vec sum12 = hn::Add(m[1], m[2]), dif12 = hn::Sub(m[1], m[2]), sum34 = hn::Add(m[3], m[4]),
            dif34 = hn::Sub(m[3], m[4]);
  o[0] = hn::Add(hn::Add(m[0], sum12), sum34);
  o[1] = hn::MulAdd(two, dif34, dif12);
  o[2] = hn::MulAdd(four, sum34, sum12);
  o[3] = hn::Add(hn::MulAdd(eight, dif34, dif12), m[5]);
}

// B^T d: 8 -> 8.
HWY_INLINE void transform_input(const Vec (&d)[8], Vec (&o)[8]) {
  const Tag tag;
  const auto number = [&](double x) { return hn::Set(tag, static_cast<float>(x)); };
  const Vec outer = number(5.25);
  o[0] = hn::MulAdd(outer, hn::Sub(d[4], d[2]), hn::Sub(d[0], d[6]));
  o[7] = hn::MulAdd(outer, hn::Sub(d[3], d[5]), hn::Sub(d[7], d[1]));
  const Vec middle = number(4.25);
  const Vec even1 = hn::NegMulAdd(middle, d[4], hn::Add(d[2], d[6])),
            odd1 = hn::NegMulAdd(middle, d[3], hn::Add(d[1], d[5]));
  o[1] = hn::Add(even1, odd1);
  o[2] = hn::Sub(even1, odd1);
  const Vec quarter = number(0.25), half = number(0.5), two = number(2), four = number(4);
  const Vec inner = hn::Mul(number(-2.5), d[3]);
  const Vec even2 = hn::MulAdd(quarter, d[2], hn::NegMulAdd(number(1.25), d[4], d[6])),
            odd2 = hn::MulAdd(half, d[1], hn::MulAdd(two, d[5], inner));
  o[3] = hn::Add(even2, odd2);
  o[4] = hn::Sub(even2, odd2);
  const Vec even3 = hn::MulAdd(four, d[2], hn::NegMulAdd(number(5), d[4], d[6])),
            odd3 = hn::MulAdd(two, d[1], hn::MulAdd(half, d[5], inner));
  o[5] = hn::Add(even3, odd3);
  o[6] = hn::Sub(even3, odd3);
}

// A^T m: 8 -> 6.
HWY_INLINE void transform_output(const Vec (&m)[8], Vec (&o)[6]) {
  const Tag tag;
  const auto number = [&](float x) { return hn::Set(tag, x); };
  const Vec sum1 = hn::Add(m[1], m[2]), dif1 = hn::Sub(m[1], m[2]), sum2 = hn::Add(m[3], m[4]),
            dif2 = hn::Sub(m[3], m[4]), sum3 = hn::Add(m[5], m[6]), dif3 = hn::Sub(m[5], m[6]);
  o[0] = hn::Add(hn::Add(m[0], sum1), hn::Add(sum2, sum3));
  o[1] = hn::MulAdd(number(2), dif2, hn::MulAdd(number(1.0F / 2), dif3, dif1));
  o[2] = hn::MulAdd(number(4), sum2, hn::MulAdd(number(1.0F / 4), sum3, sum1));
  o[3] = hn::MulAdd(number(8), dif2, hn::MulAdd(number(1.0F / 8), dif3, dif1));
  o[4] = hn::MulAdd(number(16), sum2, hn::MulAdd(number(1.0F / 16), sum3, sum1));
  o[5] = hn::MulAdd(number(32), dif2, hn::Add(m[7], hn::MulAdd(number(1.0F / 32), dif3, dif1)));
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::winograd
HWY_AFTER_NAMESPACE();

#endif
