// Expand: Y = X repeated along its dimensions of size 1 to a given shape.
//
// Source: the original's Expand: X's sizes stay where the shape says 1 or less, and a shape of fewer
// dimensions stands for the last ones.
#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Expand final : public Operator {
 public:
  enum Input { kX, kShape };

  explicit Expand(const OperatorArgs& /*args*/) {}

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 1 'shape'", in[kShape], {{kUnknown}});
    if (!in[kX] || dim_or_unknown(in[kShape], 0) == kUnknown) return std::nullopt;
    return std::vector(std::max(in[kX]->size(), static_cast<size_t>(in[kShape]->front())), kUnknown);
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    auto y = *shape(shapes_of(in));
    const auto wanted = integers_of(in[kShape]);
    for (size_t i = 0; i < y.size(); i++) {  // from the back
      const auto d = static_cast<std::int64_t>(i);
      const std::int64_t has = d < x.dim() ? x.size(x.dim() - 1 - d) : 1,
                         wants = i < wanted.size() ? wanted[wanted.size() - 1 - i] : 1;
      require(has == 1 || wants <= 1 || has == wants, ErrorCode::kShape, "{}: {} cannot be expanded to {}",
              in.describe(kX), to_string(PartialShape(x.sizes().vec())), to_string(std::span(wanted)));
      y[y.size() - 1 - i] = has == 1 ? std::max<std::int64_t>(wants, 1) : has;
    }
    element_count(y);
    out[0] = x.expand(y).contiguous();
  }
};

REGISTER_OPERATOR(Expand)
    .says("X repeated along its dimensions of size 1 to a given shape.")
    .input("X", "any shape", Types::kNumber)
    .input("shape", "(rank) int64: sizes; 1 or less: as in X", Types::kIndex)
    .output("Y", "the shape, with X's sizes where it says 1 or less", infer::by(&Expand::shape));

}  // namespace
}  // namespace caffe2rt
