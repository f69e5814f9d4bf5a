// Relu on a GPU: see ops/relu.cpp.
#include <ATen/ops/empty_like.h>

#include "ops/cuda/finish.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class Relu final : public Operator {
 public:
  explicit Relu(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor x = in[0].is_non_overlapping_and_dense() ? in[0] : in[0].contiguous();
    out[0] = at::empty_like(x);
    Finish f;
    f.from = x.const_data_ptr();
    f.to = out[0].mutable_data_ptr();
    f.size = x.numel();
    f.relu = true;
    f.type = numbers_of(x);
    finish(f, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }
};

REGISTER_CUDA_OPERATOR("Relu", Relu);

}  // namespace
}  // namespace caffe2rt::cuda
