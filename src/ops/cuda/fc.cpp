// FC, FCTransposed on a GPU: cuBLAS's product, then bias and activation in one pass.
#include "ops/fc.h"

#include <ATen/ops/mm.h>

#include "ops/cuda/dense.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

template <bool transposed>
class Fc final : public Operator {
 public:
  explicit Fc(const OperatorArgs& args) : args_(args, transposed) {}

  void run(const Inputs& in, Outputs& out) const override {
    const FcArgs::Factors f = args_.factors(in);
    const at::Tensor y = at::mm(f.x.to(f.w.scalar_type()), f.w);
    out[0] = finish(y, 1, in[FcArgs::kBias], std::nullopt, args_.relu()).view(f.y_shape);
  }
  bool can_be_recorded() const override { return true; }

 private:
  const FcArgs args_;
};

REGISTER_CUDA_OPERATOR("FC", Fc<false>);
REGISTER_CUDA_OPERATOR("FCTransposed", Fc<true>);

}  // namespace
}  // namespace caffe2rt::cuda
