// BatchPermutation: Y[i] = X[indices[i]] along the first axis.
//
// Puts regions that were pooled level by level back into their order (see DistributeFpnProposals).
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>

#include <cstring>
#include <span>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class BatchPermutation final : public Operator {
 public:
  enum Input { kX, kIndices };

  explicit BatchPermutation(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    require(x.dim() > 0, ErrorCode::kShape, "{}: expected at least 1 dimension, got 0", in.describe(kX));
    require_shape(in, kIndices, {x.size(0)});
    const at::Tensor indices = in[kIndices].to(at::kCPU, at::kLong).contiguous();
    for (const int64_t i : std::span(indices.data_ptr<int64_t>(), static_cast<size_t>(indices.numel())))
      require(i >= 0 && i < x.size(0), ErrorCode::kArgument, "{}: index {} in a batch of {}",
              in.describe(kIndices), i, x.size(0));
    if (!x.is_cpu()) {
      out[0] = at::index_select(x, 0, in[kIndices]);
      return;
    }
    // Along the rows of memory as it lies, which for pooled features is channels_last.
    const bool channels_last = x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor from = channels_last ? x : x.contiguous();
    out[0] = at::empty_like(from);
    if (from.numel() == 0) return;
    const auto row = static_cast<size_t>(from.nbytes()) / static_cast<size_t>(from.size(0));
    const auto* source = static_cast<const char*>(from.const_data_ptr());
    auto* target = static_cast<char*>(out[0].mutable_data_ptr());
    at::parallel_for(0, from.size(0), 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++)
        std::memcpy(target + i * row, source + indices.const_data_ptr<int64_t>()[i] * row, row);
    });
  }
};

REGISTER_OPERATOR(BatchPermutation)
    .says("Puts the rows of a batch into another order.")
    .input("X", "(N,...) float32")
    .input("indices", "(N) int32: which row of X each row of Y is", Types::kIndex)
    .output("Y", "shape of X", infer::same_as(BatchPermutation::kX))
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
