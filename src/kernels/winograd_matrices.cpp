// The matrices of packed weights of integers: each filter's nine are transformed and rounded.
#include "kernels/winograd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_matrices.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/winograd_filters.h"
#include "kernels/winograd_layout.h"

HWY_BEFORE_NAMESPACE();
namespace caffe2rt::winograd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
using Integers = hn::Rebind<int32_t, Tag>;

constexpr int kMostPoints = 64;

// Filters of neighbouring columns, a column a lane.
template <int kSide>
class Filters {
 public:
  explicit Filters(int tile) : rows_(filter_rows(tile)) {}

  // nine (9,kPanel) -> take(point, numbers).
  template <class T, class Take>
  HWY_INLINE void transform(const T* nine, Take&& take) const {
    const hn::Rebind<T, Tag> few;
    Vec g[9];
    for (int i = 0; i < 9; i++)
      g[i] = hn::ConvertTo(
          Tag(), hn::PromoteTo(Integers(), hn::LoadU(few, nine + static_cast<size_t>(i) * matmul::kPanel)));
    for (int i = 0; i < kSide; i++) {
      Vec row[3];
      for (int j = 0; j < 3; j++) row[j] = sum(i, g[j], g[3 + j], g[6 + j]);
      for (int j = 0; j < kSide; j++) take(i * kSide + j, sum(j, row[0], row[1], row[2]));
    }
  }

 private:
  HWY_INLINE Vec sum(int row, Vec a, Vec b, Vec c) const {
    const auto factor = [&](int i) { return hn::Set(Tag(), static_cast<float>(rows_[row][i])); };
    return hn::MulAdd(factor(2), c, hn::MulAdd(factor(1), b, hn::Mul(factor(0), a)));
  }

  const FilterRow* rows_;
};

template <int kSide, class T>
void make_panel(const Weights& w, const IntegerWeights<T>& from, size_t panel, std::int32_t* matrices) {
  const Tag tag;
  const Filters<kSide> filters(w.tile);
  const size_t pairs = int16_product::pairs_of(w.channels), lanes = hn::Lanes(tag);
  for (size_t v = 0; v < matmul::kPanel; v += lanes) {
    const size_t column = panel * matmul::kPanel + v;
    HWY_ALIGN float factors[kMostPoints * hn::MaxLanes(Tag())];  // from a filter's integers to a matrix's
    for (int point = 0; point < w.points(); point++)
      for (size_t i = 0; i < lanes; i++) factors[point * lanes + i] = from.factor(point, column + i);
    const auto rounded = [&](int point, Vec number) {
      return hn::NearestInt(hn::Mul(number, hn::Load(tag, factors + point * lanes)));
    };
    const Integers words;
    const auto low = hn::Set(words, 0xffff);
    for (size_t pair = 0; pair < pairs; pair++) {
      HWY_ALIGN int32_t first[kMostPoints * hn::MaxLanes(Tag())];
      const T* nine = from.filters(panel, pair) + v;
      filters.transform(nine, [&](int point, Vec number) {
        hn::Store(hn::And(rounded(point, number), low), words, first + point * lanes);
      });
      std::int32_t* to = matrices + (panel * pairs + pair) * matmul::kPanel + v;
      filters.transform(nine + 9 * matmul::kPanel, [&](int point, Vec number) {
        const auto second = hn::ShiftLeft<16>(rounded(point, number));
        hn::StoreU(hn::Or(second, hn::Load(words, first + point * lanes)), words,
                   to + static_cast<size_t>(point) * integer_matrix(w));
      });
    }
  }
}

void MakeMatrices(const Weights& w, const void* packed, int first, int last, void* matrices) {
  auto* to = static_cast<std::int32_t*>(matrices);
  with_integers_of(w, [&]<class T>(T) {
    const IntegerWeights<T> from(w, static_cast<const std::uint8_t*>(packed));
    for (int panel = first; panel < last; panel++)
      if (w.tile == 4)
        make_panel<6>(w, from, panel, to);
      else
        make_panel<8>(w, from, panel, to);
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

int count_parts(const Weights& weights) { return static_cast<int>(count_panels(weights.filters)); }

void make_matrices(const Weights& weights, const void* packed, int first, int last, void* matrices) {
  HWY_DYNAMIC_DISPATCH(MakeMatrices)(weights, packed, first, last, matrices);
}

}  // namespace caffe2rt::winograd
#endif
