// caffe2rt.DeformConv on a GPU: a kernel gathers the taps of many windows, cuBLAS multiplies them by the
// filters.
#include "ops/deform_conv.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "ops/cuda/deform_conv.h"
#include "ops/cuda/dense.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

using Args = DeformConvArgs;

class DeformConv final : public Operator {
 public:
  explicit DeformConv(const OperatorArgs& args) : args_(args) {}

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *args_.shape(shapes_of(in));
    const at::Tensor filter = in[Args::kFilter].contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor y = at::empty(y_shape, filter.options(), at::MemoryFormat::ChannelsLast);
    if (element_count(y_shape) > 0) convolve(in, filter, y);
    const auto bias = in.has(Args::kBias) ? std::optional(in[Args::kBias]) : std::nullopt;
    out[0] = finish(y, 1, bias, std::nullopt, /*relu=*/false);
  }
  bool can_be_recorded() const override { return true; }

 private:
  static constexpr std::int64_t kMostTapBytes = std::int64_t{128} << 20;  // gathered at once

  void convolve(const Inputs& in, const at::Tensor& filter, const at::Tensor& y) const {
    const at::Tensor x = in[Args::kX].to(filter.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast),
                     offset = floats(in[Args::kOffset]),
                     mask = in.has(Args::kMask) ? floats(in[Args::kMask]) : at::Tensor();
    GatheredTaps t;
    t.type = numbers_of(x);
    t.grid = args_.grid(x.size(2), x.size(3), y.size(3));
    t.channels = static_cast<int>(x.size(1));
    t.groups = static_cast<int>(args_.deformable_group);
    const std::int64_t window_bytes = t.grid.taps * x.size(1) * static_cast<std::int64_t>(x.itemsize());
    const std::int64_t most = std::clamp<std::int64_t>(kMostTapBytes / window_bytes, 1, t.grid.windows);
    const std::array<std::int64_t, 3> shape = {most, t.grid.taps, x.size(1)};
    const at::Tensor taps = at::empty(shape, x.options());
    t.to = taps.mutable_data_ptr();
    for (std::int64_t n = 0; n < x.size(0); n++) {
      t.image = x.select(0, n).const_data_ptr();
      t.offset = offset.select(0, n).const_data_ptr<float>();
      t.mask = mask.defined() ? mask.select(0, n).const_data_ptr<float>() : nullptr;
      const at::Tensor windows = y.permute({0, 2, 3, 1}).select(0, n).view({t.grid.windows, y.size(1)});
      for (t.first = 0; t.first < t.grid.windows; t.first += most) {
        t.count = std::min(most, t.grid.windows - t.first);
        gather_taps(t, stream());
        check_launch();
        at::Tensor rows = windows.narrow(0, t.first, t.count);
        args_.multiply(taps.narrow(0, 0, t.count), filter, rows);
      }
    }
  }

  const DeformConvArgs args_;
};

REGISTER_CUDA_OPERATOR("caffe2rt.DeformConv", DeformConv);

}  // namespace
}  // namespace caffe2rt::cuda
