// The matrices of packed weights of integers: each filter's nine are transformed, G g G^T of the paper, as
// winograd_weights.cpp does it, and rounded.
#include "kernels/winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_matrices.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/winograd_layout.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::winograd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using Integers = hn::Rebind<int32_t, Tag>;

// Filters' numbers along one axis, 3 -> 6: those of G, each up to a unit.
constexpr float kUnits[6] = {1.0F / 4, 1.0F / 6, 1.0F / 6, 1.0F / 24, 1.0F / 24, 1};

HWY_INLINE void transform_filter(Vec a, Vec b, Vec c, Vec (&o)[6]) {
  const Vec outer = hn::Add(a, c), far = hn::MulAdd(hn::Set(Tag(), 4.0F), c, a), two = hn::Add(b, b);
  o[0] = a;
  o[1] = hn::Neg(hn::Add(outer, b));
  o[2] = hn::Sub(b, outer);
  o[3] = hn::Add(far, two);
  o[4] = hn::Sub(far, two);
  o[5] = c;
}

// nine (9,kFilterPanel), a filter a lane -> take(point, numbers).
template <class T, class Take>
HWY_INLINE void transform_filters(const T* nine, Take&& take) {
  const hn::Rebind<T, Tag> few;
  Vec rows[3][6];  // by column, then row
  for (size_t j = 0; j < 3; j++) {
    const auto load = [&](size_t i) {
      return hn::ConvertTo(Tag(),
                           hn::PromoteTo(Integers(), hn::LoadU(few, nine + (i * 3 + j) * kFilterPanel)));
    };
    transform_filter(load(0), load(1), load(2), rows[j]);
  }
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) {
    Vec o[6];
    transform_filter(rows[0][i], rows[1][i], rows[2][i], o);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) take(i * 6 + j, o[j]);
  }
}

template <class T>
void make_panel(const Weights& w, const IntegerWeights<T>& from, size_t panel, std::int32_t* matrices) {
  constexpr size_t kPoints = 36;
  const Tag tag;
  const Integers words;
  const auto low = hn::Set(words, 0xffff);
  const size_t pairs = int16_product::pairs_of(w.channels), lanes = hn::Lanes(tag),
               width = int16_product::panel_width();
  for (size_t v = 0; v < kFilterPanel; v += lanes) {
    HWY_ALIGN float factors[kPoints * hn::MaxLanes(Tag())];  // from a filter's integers to a matrix's
    for (size_t point = 0; point < kPoints; point++)
      for (size_t i = 0; i < lanes; i++)
        factors[point * lanes + i] =
            from.factor(point, panel * kFilterPanel + v + i) * kUnits[point / 6] * kUnits[point % 6];
    const auto rounded = [&](int point, Vec number) {
      return hn::NearestInt(hn::Mul(number, hn::Load(tag, factors + point * lanes)));
    };
    for (size_t pair = 0; pair < pairs; pair++) {
      HWY_ALIGN int32_t first[kPoints * hn::MaxLanes(Tag())];
      const T* nine = from.filters(panel, pair) + v;
      transform_filters(nine, [&](int point, Vec number) {
        hn::Store(hn::And(rounded(point, number), low), words, first + point * lanes);
      });
      std::int32_t* to =
          matrices + int16_product::offset(panel * kFilterPanel + v, pairs, width) + pair * width;
      transform_filters(nine + 9 * kFilterPanel, [&](int point, Vec number) {
        const auto second = hn::ShiftLeft<16>(rounded(point, number));
        hn::StoreU(hn::Or(second, hn::Load(words, first + point * lanes)), words,
                   to + static_cast<size_t>(point) * integer_matrix(w));
      });
    }
  }
}

void MakeMatrices(const Weights& w, const void* packed, int first, int last, void* matrices) {
  with_integers_of(w, [&]<class T>(T) {
    const IntegerWeights<T> from(w, static_cast<const std::uint8_t*>(packed));
    for (int panel = first; panel < last; panel++)
      make_panel(w, from, panel, static_cast<std::int32_t*>(matrices));
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace caffe2rt::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace caffe2rt::winograd {

HWY_EXPORT(MakeMatrices);

size_t matrices_size(const Weights& w) {
  return w.numbers == Numbers::kFloat32 ? 0 : w.points() * integer_matrix(w) * sizeof(std::int32_t);
}

int count_parts(const Weights& weights) {
  return static_cast<int>(matmul::count_columns(weights.filters) / kFilterPanel);
}

void make_matrices(const Weights& weights, const void* packed, int first, int last, void* matrices) {
  HWY_DYNAMIC_DISPATCH(MakeMatrices)(weights, packed, first, last, matrices);
}

}  // namespace caffe2rt::winograd
#endif
