// caffe2rt.MaskOfClass on a GPU, in X's element type; ATen would widen X first.
#include "ops/mask_of_class.h"

#include <ATen/ops/empty.h>

#include "ops/cuda/mask_of_class.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class MaskOfClass final : public Operator {
 public:
  explicit MaskOfClass(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    using Args = MaskOfClassArgs;
    constexpr std::int64_t kMostChannels = 8192, kMostRegions = 65535;  // of a launch
    out[0] = at::empty(*Args::shape(shapes_of(in)), in[Args::kX].options());
    const at::Tensor x = in[Args::kX].permute({0, 2, 3, 1}).contiguous(), filter = floats(in[Args::kFilter]),
                     bias = floats(in[Args::kBias]), classes = floats(in[Args::kClasses]);
    require(x.size(3) <= kMostChannels && x.size(0) <= kMostRegions, ErrorCode::kLimit,
            "{}: expected at most {} channels and {} regions, got {} and {}", in.describe(Args::kX),
            kMostChannels, kMostRegions, x.size(3), x.size(0));
    ClassMasks m;
    m.x = x.const_data_ptr();
    m.to = out[0].mutable_data_ptr();
    m.type = numbers_of(x);
    m.filter = filter.const_data_ptr<float>();
    m.bias = bias.const_data_ptr<float>();
    m.classes = classes.const_data_ptr<float>();
    m.regions = x.size(0);
    m.pixels = static_cast<int>(x.size(1) * x.size(2));
    m.channels = static_cast<int>(x.size(3));
    m.filters = static_cast<int>(filter.size(0));
    multiply_by_class(m, stream());
    check_launch();
  }
  bool can_be_recorded() const override { return true; }
};

REGISTER_CUDA_OPERATOR("caffe2rt.MaskOfClass", MaskOfClass);

}  // namespace
}  // namespace caffe2rt::cuda
