// caffe2rt.NumberRegions on a GPU: see ops/number_regions.cpp.
#include "ops/cuda/number_regions.h"

#include <ATen/ops/empty.h>

#include "ops/cuda/slots.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class NumberRegions final : public Operator {
 public:
  enum Input { kBoxes, kSplits };

  explicit NumberRegions(const OperatorArgs& args) : slots_(has_slots(args)) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kBoxes, 2);
    require_rank(in, kSplits, 1);
    const at::Tensor boxes = floats(in[kBoxes]), splits = floats(in[kSplits]);
    out[0] = at::empty({boxes.size(0), boxes.size(1) + 1}, boxes.options());
    NumberedRegions n;
    n.boxes = boxes.const_data_ptr<float>();
    n.splits = splits.const_data_ptr<float>();
    n.to = out[0].mutable_data_ptr<float>();
    n.rows = boxes.size(0);
    n.columns = static_cast<int>(boxes.size(1));
    n.images = static_cast<int>(splits.size(0));
    n.slots = slots_;
    number_regions(n, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }

 private:
  const bool slots_;
};

REGISTER_CUDA_OPERATOR("caffe2rt.NumberRegions", NumberRegions);

}  // namespace
}  // namespace caffe2rt::cuda
