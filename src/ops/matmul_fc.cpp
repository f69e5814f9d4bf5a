// caffe2rt.MatMulFC: FC with packed weights, by kernels/matmul_conv.h and dot_conv.h. The pass use_matmul
// makes it.
#include <ATen/ops/empty.h>

#include "ops/bias.h"
#include "ops/matmul_kernel.h"
#include "ops/shape_args.h"
#include "ops/types.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class MatMulFc final : public Operator {
 public:
  enum Input { kX, kW, kBias };

  explicit MatMulFc(const OperatorArgs& args)
      : kernel_(args),
        depth_(args.get("caffe2rt.depth", std::int64_t{0})),
        filters_(args.get("caffe2rt.filters", std::int64_t{0})),
        channels_last_(args.get("caffe2rt.channels_last", false)),
        relu_(args.get("caffe2rt.relu", false)) {
    require(depth_ > 0 && filters_ > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.depth' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            depth_, filters_);
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX]) return std::nullopt;
    const std::span<const std::int64_t> x(*in[kX]);
    require(!x.empty() && compatible({{product(x.subspan(1))}}, {{depth_}}), ErrorCode::kShape,
            "input 0 'X': expected {} elements from axis 1 on, as the weights have, got {}", depth_,
            to_string(in[kX]));
    require_compatible("input 2 'b'", in[kBias], {{filters_}});
    return std::vector<std::int64_t>{x.front(), filters_};
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    at::Tensor y = at::empty(y_shape, in[kX].options());
    out[0] = y;
    if (element_count(y_shape) == 0) return;
    at::Tensor x = in[kX];
    if (channels_last_) x = x.permute({0, 2, 3, 1});
    x = x.contiguous();
    const Bias bias(in, kBias);
    const matmul_conv::Problem problem{.images = static_cast<int>(y_shape.front()),
                                       .channels = static_cast<int>(depth_),
                                       .filters = static_cast<int>(filters_),
                                       .x = x.const_data_ptr<float>(),
                                       .bias = bias.data(),
                                       .relu = relu_,
                                       .y = y.mutable_data_ptr<float>()};
    kernel_.run(problem, in[kW]);
  }

 private:
  const MatMulKernel kernel_;
  const std::int64_t depth_, filters_;
  const bool channels_last_, relu_;
};

REGISTER_OPERATOR_AS("caffe2rt.MatMulFC", MatMulFc)
    .says("Fully connected layer with packed weights.")
    .input("X", "(M,K...) float32")
    .input("W", "packed weights (matmul_kernel.h): float32, or bytes", Types::kFloat | Types::kUint8)
    .input("b", "(N) float32")
    .output("Y", "(M,N) float32", infer::by(&MatMulFc::shape))
    .args(MatMulKernel::documentation())
    .arg("caffe2rt.depth", "K")
    .arg("caffe2rt.filters", "N")
    .arg("caffe2rt.channels_last", "1: X is (M,C,H,W), and the order of K is (H,W,C)")
    .arg("caffe2rt.relu", "max(Y, 0) instead of Y");

}  // namespace
}  // namespace caffe2rt
