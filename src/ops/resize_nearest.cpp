// ResizeNearest: Y[n,c,y,x] = X[n,c,min(int(y/height_scale),H-1),min(int(x/width_scale),W-1)].
//
// The top-down path of a feature pyramid. Divides in float32, as the original: a multiplication by the
// reciprocal picks other pixels for some scales.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "ops/resize_scales.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// Which of `size` input rows or columns each of the `to` output ones shows.
std::vector<int64_t> sources(int64_t size, int64_t to, float scale) {
  std::vector<int64_t> from(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; i++)
    from[i] = std::min(static_cast<int64_t>(static_cast<float>(i) / scale), size - 1);
  return from;
}

class ResizeNearest final : public Operator {
 public:
  enum Input { kX };

  explicit ResizeNearest(const OperatorArgs& args)
      : order_(args.get("order", StorageOrder::kNchw)), scales_(args) {}

  PartialShape infer_resized(PartialShapes in) const {
    return scales_.shape(in, order_ == StorageOrder::kNchw ? 2 : 1);
  }

  void run(const Inputs& in, Outputs& out) const override {
    require_rank(in, kX, 4);
    const auto scales = scales_.of(in);
    const bool nhwc = order_ == StorageOrder::kNhwc;
    const at::Tensor x = nhwc ? in[kX].permute({0, 3, 1, 2}) : in[kX];
    const at::Tensor y = resize(x, scales);
    out[0] = nhwc ? y.permute({0, 2, 3, 1}) : y;
  }

 private:
  // x and the result are (N,C,H,W), both channels_last or both not.
  static at::Tensor resize(const at::Tensor& any, const ResizeScales::Scales& scales) {
    const bool channels_last = !any.is_contiguous() && any.is_contiguous(at::MemoryFormat::ChannelsLast);
    const auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    const at::Tensor x = any.contiguous(format);
    const int64_t h = x.size(2), w = x.size(3);
    const std::array<int64_t, 4> shape = {x.size(0), x.size(1), ResizeScales::resized(h, scales.height),
                                          ResizeScales::resized(w, scales.width)};
    at::Tensor y = at::empty(shape, x.options(), format);
    const auto rows = sources(h, shape[2], scales.height), columns = sources(w, shape[3], scales.width);

    // An image is a number of planes, each a grid of cells: C planes of single values, or one plane of C
    // values a cell.
    const int64_t cell = channels_last ? shape[1] : 1;
    const int64_t planes = channels_last ? shape[0] : shape[0] * shape[1];
    const auto* from = x.data_ptr<float>();
    auto* to = y.data_ptr<float>();
    at::parallel_for(0, planes * shape[2], 1 + 16384 / (1 + shape[3] * cell),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; i++) {
                         const float* row = from + (i / shape[2] * h + rows[i % shape[2]]) * w * cell;
                         float* target = to + i * shape[3] * cell;
                         if (cell == 1)
                           for (const int64_t c : columns) *target++ = row[c];
                         else
                           for (const int64_t c : columns) target = std::copy_n(row + c * cell, cell, target);
                       }
                     });
    return y;
  }

  const StorageOrder order_;
  const ResizeScales scales_;
};

REGISTER_OPERATOR(ResizeNearest)
    .says("Scales images by repeating or leaving out pixels.")
    .input("X", "(N,C,H,W) float32, or (N,H,W,C) with order NHWC")
    .optional_input("scales", "(2) float32: height_scale, width_scale, instead of the arguments")
    .output("Y", "(N,C,int(H*height_scale),int(W*width_scale)) float32, or the same in NHWC",
            infer::by(&ResizeNearest::infer_resized))
    .arg("order", "NCHW (default) or NHWC")
    .arg("height_scale", "default 1")
    .arg("width_scale", "default 1");

}  // namespace
}  // namespace caffe2rt
