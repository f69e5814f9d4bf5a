// TopK: the k largest elements along an axis of X, the largest first, and where they lie.
//
// Source: the original's TopK: of equal elements the first comes first, and where there are fewer than k the
// rest is 0 at place -1. What is not a number counts as less than any number.
#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <numeric>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class TopK final : public Operator {
 public:
  enum Input { kX, kK };
  enum Output { kValues, kIndices, kFlatIndices };

  explicit TopK(const OperatorArgs& args)
      : k_(args.get("k", std::int64_t{-1})), axis_(args.get("axis", std::int64_t{-1})) {
    require(axis_ >= -1, ErrorCode::kArgument, "argument 'axis': expected -1 or more, got {}", axis_);
    if (args.num_inputs() < 2) check(k_);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    std::vector<std::int64_t> y = *in[kX];
    y[axis_of(y.size())] = in.size() > kK ? kUnknown : k_;
    return y;
  }

  PartialShape flat_shape(PartialShapes in) const {
    const PartialShape y = shape(in);
    return y ? std::vector{product(*y)} : std::vector{kUnknown};
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor x = in[kX].contiguous();
    const auto axis = static_cast<std::int64_t>(axis_of(static_cast<size_t>(x.dim())));
    const std::int64_t k = in.has(kK) ? fed_k(in) : k_;
    auto shape = x.sizes().vec();
    shape[axis] = k;
    element_count(shape);
    out[kValues] = at::zeros(shape, x.options());
    out[kIndices] = at::full(shape, -1, x.options().dtype(at::kLong));
    at::Tensor flat;
    if (out.size() > kFlatIndices) flat = out[kFlatIndices] = at::full(shape, -1, out[kIndices].options());
    choose(x, axis, k, out[kValues], out[kIndices], flat);
    if (flat.defined()) out[kFlatIndices] = flat.view({-1});
  }

 private:
  static void check(std::int64_t k) {
    require(k >= 1 && k <= std::numeric_limits<std::int32_t>::max(), ErrorCode::kArgument,
            "k: expected at least 1, got {}", k);
  }

  static std::int64_t fed_k(const Inputs& in) {
    require(in[kK].numel() == 1, ErrorCode::kShape, "{}: expected one element, got {}", in.describe(kK),
            in[kK].numel());
    const std::int64_t k = integers_of(in[kK]).front();
    check(k);
    return k;
  }

  size_t axis_of(size_t rank) const {
    return static_cast<size_t>(canonical_axis(axis_, static_cast<std::int64_t>(rank)));
  }

  // All contiguous; values and indices hold what stands where there are fewer than k elements. Writes the
  // places in all of X to `flat`, if it is defined.
  static void choose(const at::Tensor& x, std::int64_t axis, std::int64_t k, const at::Tensor& values,
                     const at::Tensor& indices, const at::Tensor& flat) {
    const std::int64_t size = x.size(axis), kept = std::min(k, size);
    std::int64_t step = 1;  // from one element to the next
    for (std::int64_t d = axis + 1; d < x.dim(); d++) step *= x.size(d);
    const std::int64_t rows = size == 0 ? 0 : x.numel() / size;
    const auto* from = x.const_data_ptr<float>();
    auto* value = values.mutable_data_ptr<float>();
    auto* index = indices.mutable_data_ptr<std::int64_t>();
    auto* place = flat.defined() ? flat.mutable_data_ptr<std::int64_t>() : nullptr;
    at::parallel_for(0, rows, 1 + 4096 / (size + 1), [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int64_t> order(static_cast<size_t>(size));
      for (std::int64_t r = begin; r < end; r++) {
        const std::int64_t first = r / step * size * step + r % step, to = r / step * k * step + r % step;
        const float* row = from + first;
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                          [row, step](std::int64_t a, std::int64_t b) {
                            const float fa = row[a * step], fb = row[b * step];
                            if (fa > fb || std::isnan(fb)) return !std::isnan(fa) || a < b;
                            return fa == fb && a < b;
                          });
        for (std::int64_t i = 0; i < kept; i++) {
          value[to + i * step] = row[order[i] * step];
          index[to + i * step] = order[i];
          if (place) place[to + i * step] = first + order[i] * step;
        }
      }
    });
  }

  const std::int64_t k_, axis_;
};

REGISTER_OPERATOR(TopK)
    .says("The k largest elements along an axis, the largest first.")
    .input("X", "1 dimension or more, float32")
    .optional_input("k", "(1) int64, instead of the argument", Types::kIndex)
    .output("values", "shape of X with k along the axis; 0 where X has fewer", infer::by(&TopK::shape))
    .output("indices", "the same, int64: place along the axis; -1 where X has fewer", infer::by(&TopK::shape))
    .optional_output("flat_indices", "(elements of values) int64: place in all of X; -1 likewise",
                     infer::by(&TopK::flat_shape))
    .arg("k", "how many")
    .arg("axis", "default -1: the last");

}  // namespace
}  // namespace caffe2rt
