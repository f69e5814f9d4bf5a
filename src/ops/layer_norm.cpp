// LayerNorm: Y[m,d] = (X[m,d] - mean[m]) / std[m], then * gamma[d] + beta[d] with elementwise_affine, where
// the axes of X before `axis` are m, the others d, and std = sqrt(variance + epsilon) over d.
//
// Ba, Kiros and Hinton, https://arxiv.org/abs/1607.06450; source: the original's LayerNorm.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/native_layer_norm.h>

#include <cmath>
#include <optional>
#include <tuple>

#include "ops/shape_args.h"
#include "ops/types.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

class LayerNorm final : public Operator {
 public:
  enum Input { kX, kGamma, kBeta };
  enum Output { kY, kMean, kStd };

  explicit LayerNorm(const OperatorArgs& args)
      : axis_(args.get("axis", std::int64_t{1})),
        epsilon_(args.get("epsilon", 1e-5F)),
        affine_(args.get("elementwise_affine", false)) {
    require(!affine_ || args.num_inputs() == 3, ErrorCode::kGraph,
            "expected inputs 'gamma' and 'beta' with elementwise_affine, got {} inputs", args.num_inputs());
  }

  PartialShape shape(PartialShapes in) const {
    const PartialShape& x = in[kX];
    if (!x) return x;
    const std::int64_t elements = product(std::span(*x).subspan(split(*x)));
    if (!affine_) return x;
    for (const size_t i : {kGamma, kBeta})
      require(!in[i] || compatible({{product(*in[i])}}, {{elements}}), ErrorCode::kShape,
              "input {} '{}': expected {} elements, got {}", i, i == kGamma ? "gamma" : "beta", elements,
              to_string(in[i]));
    return x;
  }

  PartialShape statistics_shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    Shape s(in[kX]->begin(), in[kX]->begin() + static_cast<std::ptrdiff_t>(split(*in[kX])));
    s.push_back(1);
    return s;
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto shapes = shapes_of(in);
    shape(shapes);
    const Shape statistics = *statistics_shape(shapes);
    const at::Tensor& x = in[kX];
    if (x.numel() == 0) {
      out[kY] = x;
      out[kMean] = at::full(statistics, 0, x.options());
      out[kStd] = at::full(statistics, std::sqrt(epsilon_), x.options());
      return;
    }
    const auto normalised = x.sizes().slice(split(x.sizes()));
    std::optional<at::Tensor> gamma, beta;
    if (affine_) {
      gamma = weight(in, kGamma, normalised);
      beta = weight(in, kBeta, normalised);
    }
    const auto [y, mean, inv_std] = at::native_layer_norm(x.contiguous(), normalised, gamma, beta, epsilon_);
    out[kY] = y;
    out[kMean] = mean.view(statistics);
    out[kStd] = inv_std.reciprocal().view(statistics);
  }

 private:
  // How many axes come before `axis`.
  size_t split(std::span<const std::int64_t> x) const {
    require(x.size() >= 2, ErrorCode::kShape, "input 0 'X': expected at least 2 dimensions, got {}",
            to_string(x));
    return static_cast<size_t>(canonical_axis(axis_, static_cast<std::int64_t>(x.size())));
  }

  static at::Tensor weight(const Inputs& in, Input i, at::IntArrayRef shape) {
    require(in[i].scalar_type() == in[kX].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
            in.describe(i), c10::toString(in[kX].scalar_type()), c10::toString(in[i].scalar_type()));
    return in[i].reshape(shape);
  }

  const std::int64_t axis_;
  const float epsilon_;
  const bool affine_;
};

REGISTER_OPERATOR(LayerNorm)
    .says("Normalises each row to mean 0 and variance 1.")
    .input("X", "(M...,D...) float32 or float64, 2 dimensions or more", Types::kFloat | Types::kDouble)
    .optional_input("gamma", "(D...) type of X; read with elementwise_affine", Types::kFloat | Types::kDouble)
    .optional_input("beta", "(D...) type of X; likewise", Types::kFloat | Types::kDouble)
    .output("Y", "shape and type of X", infer::by(&LayerNorm::shape))
    .output("mean", "(M...,1) type of X", infer::by(&LayerNorm::statistics_shape))
    .output("std", "(M...,1) type of X: square root of variance + epsilon",
            infer::by(&LayerNorm::statistics_shape))
    .arg("axis", "first axis that belongs to D, from the end where negative; default 1")
    .arg("epsilon", "added to the variance, default 1e-5")
    .arg("elementwise_affine", "1: then scales by gamma and shifts by beta")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
