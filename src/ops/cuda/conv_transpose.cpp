// ConvTranspose on a GPU: cuDNN's, then bias and activation in one pass.
#include "ops/conv_transpose.h"

#include <ATen/ops/empty.h>

#include "ops/cuda/dense.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class ConvTranspose final : public Operator {
 public:
  explicit ConvTranspose(const OperatorArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    using Args = ConvTransposeArgs;
    const StorageOrder order = args_.window.order;
    const auto y_shape = *args_.shape(shapes_of(in));
    const at::Tensor filter = in_channels_last_memory(to_channels_first(in[Args::kFilter], order));
    if (element_count(y_shape) == 0) {
      out[0] = at::empty(y_shape, filter.options());
      return;
    }
    const at::Tensor x =
        in_channels_last_memory(to_channels_first(in[Args::kX].to(filter.scalar_type()), order));
    const at::Tensor y = args_.convolve(x, filter, std::nullopt);
    const auto bias = in.has(Args::kBias) ? std::optional(in[Args::kBias]) : std::nullopt;
    out[0] = from_channels_first(finish(y, 1, bias, std::nullopt, args_.relu), order);
  }
  bool can_be_recorded() const override { return true; }

 private:
  const ConvTransposeArgs args_;
};

REGISTER_CUDA_OPERATOR("ConvTranspose", ConvTranspose);

}  // namespace
}  // namespace caffe2rt::cuda
