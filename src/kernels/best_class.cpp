#include "kernels/best_class.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/best_class.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// What is the same for every vector width: once a file, however often it is included.
#ifndef CAFFE2RT_BEST_CLASS_LAYOUT
#define CAFFE2RT_BEST_CLASS_LAYOUT
namespace caffe2rt::best_class {

constexpr size_t kChunk = 64;       // pixels at a time, whose columns stay near the processor
constexpr float kLeast = -3.0e38F;  // stands for a class that is none

// The columns that pixels [first, first + kChunk) lie between.
struct Span {
  size_t begin, size;

  Span(const std::vector<Tap>& pixels, size_t first)
      : begin(pixels[first].low), size(pixels[std::min(first + kChunk, pixels.size()) - 1].low - begin + 2) {}
};

// From one column to the next in scratch memory: whole vectors of the widest.
inline size_t step_of(const Problem& p) { return (static_cast<size_t>(p.classes) + 15) / 16 * 16; }

}  // namespace caffe2rt::best_class
#endif

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::best_class {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using Integers = hn::RebindToSigned<Tag>;

constexpr size_t kLanes = hn::MaxLanes(Tag());

// The two rows, between each other, at the columns of a span; numbers alone.
void blend(const Problem& p, const Span& span, float* to) {
  const Tag tag;
  const size_t classes = p.classes, step = step_of(p), whole = classes / kLanes * kLanes,
               there = std::min<size_t>(span.size, p.width - span.begin);
  const float *upper = p.upper + span.begin * classes, *lower = p.lower + span.begin * classes;
  const Vec a = hn::Set(tag, p.upper_weight), b = hn::Set(tag, p.lower_weight), least = hn::Set(tag, kLeast);
  for (size_t x = 0; x < there; x++, upper += classes, lower += classes, to += step) {
    for (size_t c = 0; c < whole; c += kLanes) {
      const Vec v = hn::MulAdd(hn::LoadU(tag, lower + c), b, hn::Mul(hn::LoadU(tag, upper + c), a));
      hn::Store(hn::IfThenElse(hn::Eq(v, v), v, least), tag, to + c);
    }
    for (size_t c = whole; c < classes; c++) {
      const float v = upper[c] * p.upper_weight + lower[c] * p.lower_weight;
      to[c] = v == v ? v : kLeast;
    }
    std::fill(to + classes, to + step, kLeast);
  }
  if (there < span.size) std::copy_n(to - step, step, to);
}

// The best class between two columns next to each other.
HWY_INLINE int best(const Tap& tap, const float* low, size_t step) {
  const Tag tag;
  const Integers integers;
  const float* high = low + step;
  const Vec a = hn::Set(tag, tap.low_weight), b = hn::Set(tag, tap.high_weight);
  Vec most = hn::Set(tag, kLeast);
  auto label = hn::Iota(integers, 0), classes = label;
  for (size_t c = 0; c < step; c += kLanes) {
    const Vec v = hn::MulAdd(hn::Load(tag, high + c), b, hn::Mul(hn::Load(tag, low + c), a));
    const auto better = hn::Gt(v, most);
    most = hn::IfThenElse(better, v, most);
    label = hn::IfThenElse(hn::RebindMask(integers, better), classes, label);
    classes = hn::Add(classes, hn::Set(integers, static_cast<int>(kLanes)));
  }
  // Of the lanes that have the largest, the first class.
  const auto largest = hn::RebindMask(integers, hn::Eq(most, hn::MaxOfLanes(tag, most)));
  const auto none = hn::Set(integers, static_cast<int>(step));
  return hn::GetLane(hn::MinOfLanes(integers, hn::IfThenElse(largest, label, none)));
}

void Run(const Problem& p, int* labels, float* scratch) {
  const size_t step = step_of(p), count = p.pixels.size();
  for (size_t first = 0; first < count; first += kChunk) {
    const Span span(p.pixels, first);
    blend(p, span, scratch);
    for (size_t i = first; i < std::min(first + kChunk, count); i++)
      labels[i] = best(p.pixels[i], scratch + (p.pixels[i].low - span.begin) * step, step);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::best_class
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::best_class {

HWY_EXPORT(Run);

size_t scratch_size(const Problem& problem) {
  size_t widest = 0;
  for (size_t first = 0; first < problem.pixels.size(); first += kChunk)
    widest = std::max(widest, Span(problem.pixels, first).size);
  return widest * step_of(problem);
}

void run(const Problem& problem, int* labels, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Run)(problem, labels, scratch);
}

}  // namespace caffe2rt::best_class
#endif
