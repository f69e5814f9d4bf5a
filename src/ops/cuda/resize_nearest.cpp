// ResizeNearest on a GPU: see ops/resize_nearest.cpp.
#include "ops/cuda/resize_nearest.h"

#include <ATen/ops/empty.h>

#include <array>

#include "ops/cuda/tensors.h"
#include "ops/resize_scales.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

class ResizeNearest final : public Operator {
 public:
  explicit ResizeNearest(const OperatorArgs& args)
      : order_(args.get("order", StorageOrder::kNchw)), scales_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, ResizeScales::kX, 4);
    const bool nhwc = order_ == StorageOrder::kNhwc;
    const at::Tensor x = nhwc ? in[ResizeScales::kX].permute({0, 3, 1, 2}) : in[ResizeScales::kX];
    const at::Tensor y = resize(x, scales_.of(in));
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }
  bool can_be_recorded() const override { return !scales_.are_fed(); }

 private:
  static at::Tensor resize(const at::Tensor& any, const ResizeScales::Scales& scales) {
    const bool channels_last = !any.is_contiguous() && any.is_contiguous(at::MemoryFormat::ChannelsLast);
    const auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    const at::Tensor x = any.contiguous(format);
    const std::array<std::int64_t, 4> shape = {x.size(0), x.size(1),
                                               ResizeScales::resized(x.size(2), scales.height),
                                               ResizeScales::resized(x.size(3), scales.width)};
    at::Tensor y = at::empty(shape, x.options(), format);
    NearestPixels p;
    p.from = x.const_data_ptr();
    p.to = y.mutable_data_ptr();
    p.planes = channels_last ? shape[0] : shape[0] * shape[1];
    p.height = static_cast<int>(x.size(2));
    p.width = static_cast<int>(x.size(3));
    p.to_height = static_cast<int>(shape[2]);
    p.to_width = static_cast<int>(shape[3]);
    p.cell_bytes = static_cast<std::int64_t>(x.itemsize()) * (channels_last ? shape[1] : 1);
    p.height_scale = scales.height;
    p.width_scale = scales.width;
    resize_nearest(p, stream());
    check_launch();
    return y;
  }

  const StorageOrder order_;
  const ResizeScales scales_;
};

REGISTER_CUDA_OPERATOR("ResizeNearest", ResizeNearest);

}  // namespace
}  // namespace caffe2rt::cuda
