// MaxPool on a GPU, over windows of two axes; others are left to ATen. ATen's own also writes where the
// largest pixels are, in eight bytes each.
#include "ops/cuda/max_pool.h"

#include <ATen/ops/empty.h>

#include "ops/cuda/tensors.h"
#include "ops/window.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class MaxPool final : public Operator {
 public:
  explicit MaxPool(Window window) : window_(std::move(window)) {}

  void run(const Inputs& in, Outputs& out) const override {
    const PartialShape x_shape = in[0].sizes().vec();
    const auto y_shape = *window_.output_shape(x_shape, window_.channels(x_shape));
    out[0] = at::empty(y_shape, in[0].options());
    if (element_count(y_shape) == 0) return;
    const at::Tensor x = in_channels_last_memory(to_channels_first(in[0], window_.order));
    const auto axes = window_.along(x);
    const std::array<std::int64_t, 4> shape = {x.size(0), x.size(1), axes[0].windows, axes[1].windows};
    const at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::ChannelsLast);
    PooledImages p;
    p.from = x.const_data_ptr();
    p.to = y.mutable_data_ptr();
    p.type = numbers_of(x);
    p.images = x.size(0);
    p.channels = static_cast<int>(x.size(1));
    p.height = static_cast<int>(x.size(2));
    p.width = static_cast<int>(x.size(3));
    p.to_height = static_cast<int>(shape[2]);
    p.to_width = static_cast<int>(shape[3]);
    for (const size_t axis : {0, 1}) {
      p.kernel[axis] = static_cast<int>(window_.kernel[axis]);
      p.stride[axis] = static_cast<int>(window_.stride[axis]);
      p.before[axis] = static_cast<int>(axes[axis].before);
    }
    max_pool(p, stream());
    check_launch();
    out[0] = from_channels_first(y, window_.order);
  }
  bool can_be_recorded() const override { return true; }

 private:
  const Window window_;
};

const RegisteredOnCuda registered("MaxPool", [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
  Window window = Window::read(args);
  if (window.global || window.axes() != 2) return nullptr;
  return std::make_unique<MaxPool>(std::move(window));
});

}  // namespace
}  // namespace caffe2rt::cuda
