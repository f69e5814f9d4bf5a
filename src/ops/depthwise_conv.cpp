// caffe2rt.DepthwiseConv: Conv with a group for each channel and a filter for each group, by
// kernels/depthwise.h. The pass use_depthwise makes it.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "ops/conv.h"
#include "ops/depthwise.h"
#include "ops/run_blocks.h"

namespace caffe2rt {

at::Tensor pack_depthwise(const at::Tensor& filter, const std::optional<at::Tensor>& bias) {
  const std::int64_t channels = filter.size(0);
  const at::Tensor last = bias ? *bias : at::zeros({channels}, filter.options());
  return at::cat({filter.reshape({channels, -1}).t(), last.view({1, channels})}).contiguous();
}

std::vector<std::int64_t> packed_depthwise_shape(const Window& window, std::int64_t channels) {
  return {window.kernel[0] * window.kernel[1] + 1, channels};
}

depthwise::Problem depthwise_problem(const Window& window, const at::Tensor& x, const at::Tensor& packed,
                                     const std::vector<std::int64_t>& y_shape) {
  const auto axes = window.along(x);
  const auto narrow = [](std::int64_t n) { return static_cast<int>(n); };
  const std::int64_t channels = x.size(1), pixels = window.kernel[0] * window.kernel[1];
  const auto* weights = packed.const_data_ptr<float>();
  return {.images = narrow(x.size(0)),
          .height = narrow(x.size(2)),
          .width = narrow(x.size(3)),
          .channels = narrow(channels),
          .kernel_h = narrow(window.kernel[0]),
          .kernel_w = narrow(window.kernel[1]),
          .stride_h = narrow(window.stride[0]),
          .stride_w = narrow(window.stride[1]),
          .pad_top = narrow(axes[0].before),
          .pad_left = narrow(axes[1].before),
          .out_height = narrow(y_shape[2]),
          .out_width = narrow(y_shape[3]),
          .x = x.const_data_ptr<float>(),
          .weights = weights,
          .bias = weights + pixels * channels};
}

namespace {

class DepthwiseConv final : public Operator {
 public:
  enum Input { kX, kWeights };

  explicit DepthwiseConv(const OperatorArgs& args) : args_(args) {
    require(args_.group >= depthwise::kLeastChannels, ErrorCode::kArgument,
            "argument 'group': expected at least {}, got {}", depthwise::kLeastChannels, args_.group);
  }

  PartialShape shape(PartialShapes in) const {
    require_compatible("input 1 'weights'", in[kWeights], packed_depthwise_shape(args_.window, args_.group));
    const std::vector<std::int64_t>& kernel = args_.window.kernel;
    return args_.shape(in[kX], std::vector<std::int64_t>{args_.group, 1, kernel[0], kernel[1]}, std::nullopt,
                       std::nullopt);
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_of(in));
    const at::Tensor x = in_channels_last_memory(in[kX]);
    at::Tensor y = at::empty(y_shape, x.options(), at::MemoryFormat::ChannelsLast);
    out[0] = y;
    if (element_count(y_shape) == 0) return;
    depthwise::Problem problem = depthwise_problem(args_.window, x, in[kWeights], y_shape);
    problem.relu = args_.relu;
    problem.hard_swish = args_.hard_swish;
    // Whole lines, which share most of what they read, and several blocks a thread.
    constexpr int kBlocksOfThread = 8;
    const auto step = static_cast<size_t>(problem.channels);
    const int lines = problem.images * problem.out_height,
              of_block = std::max(1, lines / (at::get_num_threads() * kBlocksOfThread)),
              blocks = (lines + of_block - 1) / of_block;
    auto* to = y.mutable_data_ptr<float>();
    run_blocks(blocks, 0, [&](int block, float*) {
      const size_t width = problem.out_width, first = static_cast<size_t>(block) * of_block * width,
                   rows = std::min(of_block * width, problem.rows() - first);
      depthwise::run(problem, {first, rows, 0, step}, to + first * step, step);
    });
  }

 private:
  const ConvArgs args_;
};

REGISTER_OPERATOR_AS("caffe2rt.DepthwiseConv", DepthwiseConv)
    .says("Depthwise convolution over 2 spatial axes.")
    .input("X", "(N,C,H,W) float32; C is `group`")
    .input("weights", "(KH*KW+1,C) float32: a line for each of the window's pixels, then the bias")
    .output("Y", "(N,C,OH,OW) float32", infer::by(&DepthwiseConv::shape))
    .args(ConvArgs::documentation());

}  // namespace
}  // namespace caffe2rt
