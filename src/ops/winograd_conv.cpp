// caffe2rt.WinogradConv: Conv with a 3x3 window of stride 1, by kernels/winograd.h. The pass use_winograd
// makes it.
#include <atomic>
#include <cmath>

#include "kernels/winograd.h"
#include "ops/conv.h"
#include "ops/run_blocks.h"
#include "ops/types.h"

namespace caffe2rt {
namespace {

class WinogradConv final : public Operator {
 public:
  explicit WinogradConv(const OperatorArgs& args)
      : args_(args),
        weights_{.numbers = static_cast<winograd::Numbers>(args.get("caffe2rt.numbers", 0)),
                 .tile = args.get("caffe2rt.tile", 4),
                 .channels = args.get("caffe2rt.channels", 0),
                 .filters = args.get("caffe2rt.filters", 0),
                 .groups = args.get("caffe2rt.groups", 1)},
        pad_(args.get("pad", 0)),
        joined_(args.get("caffe2rt.joined", false)),
        x_format_(args, "caffe2rt.x"),
        residual_format_(args, "caffe2rt.residual"),
        y_format_(args, "caffe2rt.y") {
    require(weights_.channels > 0 && weights_.filters > 0, ErrorCode::kArgument,
            "arguments 'caffe2rt.channels' and 'caffe2rt.filters': expected positive numbers, got {} and {}",
            weights_.channels, weights_.filters);
    require(weights_.numbers >= winograd::Numbers::kFloat32 && weights_.numbers <= winograd::Numbers::kInt8,
            ErrorCode::kArgument, "argument 'caffe2rt.numbers': expected 0, 1 or 2, got {}",
            static_cast<int>(weights_.numbers));
    const int step = weights_.groups * winograd::kGroupStep;
    require(weights_.groups == 1 ||
                (weights_.groups > 1 && weights_.channels % step == 0 && weights_.filters % step == 0 &&
                 weights_.numbers == winograd::Numbers::kFloat32),
            ErrorCode::kArgument,
            "argument 'caffe2rt.groups': expected 1, or groups of multiples of {} channels and filters of "
            "float32, got {}",
            winograd::kGroupStep, weights_.groups);
    require(weights_.tile == 4 || weights_.tile == 6, ErrorCode::kArgument,
            "argument 'caffe2rt.tile': expected 4 or 6, got {}", weights_.tile);
    require(pad_ == 0 || pad_ == 1, ErrorCode::kArgument, "argument 'pad': expected 0 or 1, got {}", pad_);
  }

  PartialShape shape(PartialShapes in) const {
    const auto given = [&](size_t i) { return i < in.size() ? in[i] : PartialShape(); };
    return args_.shape(in[ConvArgs::kX], std::vector<std::int64_t>{weights_.filters, weights_.channels, 3, 3},
                       given(ConvArgs::kBias), given(ConvArgs::kResidual));
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto y_shape = *shape(shapes_without_residual(in));
    if (element_count(y_shape) == 0) {
      out[0] = y_format_.empty(y_shape);
      return;
    }
    const at::Tensor x = in_channels_last_memory(in[ConvArgs::kX]);
    const Residual residual(residual_of(in), y_shape);
    const ActivationFormat format = residual.complete ? y_format_ : ActivationFormat();
    at::Tensor y = residual.room_for(y_shape, format, args_.in_place && !joined_);
    const auto* packed = in[ConvArgs::kFilter].const_data_ptr<std::uint8_t>();
    const at::Tensor matrices = make_matrices(packed);
    const winograd::Problem problem{
        .weights = weights_,
        .images = static_cast<int>(x.size(0)),
        .height = static_cast<int>(x.size(2)),
        .width = static_cast<int>(x.size(3)),
        .pad = pad_,
        .joined = joined_,
        .threads = at::get_num_threads(),
        .x = x_format_.source(x),
        .packed = packed,
        .matrices = matrices.const_data_ptr(),
        .bias = in.has(ConvArgs::kBias) ? in[ConvArgs::kBias].const_data_ptr<float>() : nullptr,
        .residual = residual.source(residual_format_),
        .relu = args_.relu && residual.complete,
        .y = format.target(y)};
    run_images(problem);
    out[0] =
        residual.complete ? y : y_format_.from_floats(args_.finish(y, residual_of(in), residual_format_));
  }

 private:
  // What the kernel multiplies beside the packed weights: nothing in float32.
  at::Tensor make_matrices(const std::uint8_t* packed) const {
    at::Tensor matrices =
        at::empty({static_cast<std::int64_t>(winograd::matrices_size(weights_))}, at::kByte);
    if (matrices.numel() == 0) return matrices;
    auto* to = matrices.mutable_data_ptr<std::uint8_t>();
    at::parallel_for(0, winograd::count_parts(weights_), 1, [&](std::int64_t first, std::int64_t last) {
      winograd::make_matrices(weights_, packed, static_cast<int>(first), static_cast<int>(last), to);
    });
    return matrices;
  }

  // Images that are joined, but for those that are not finite, which keep that to themselves: of an empty
  // region no number is.
  static void run_images(const winograd::Problem& all) {
    const size_t image = static_cast<size_t>(all.height) * all.width * all.weights.channels,
                 result = static_cast<size_t>(all.out_height()) * all.out_width() * all.weights.filters;
    const auto is_finite = [&](int i) { return std::isfinite(all.x[i * image]); };
    for (int first = 0, last = 0; first < all.images; first = last) {
      const bool finite = is_finite(first);
      for (last = first + 1; last < all.images && (!all.joined || is_finite(last) == finite);) last++;
      winograd::Problem some = all;
      some.images = last - first;
      some.joined = all.joined && finite;
      some.x = some.x.from(first * image);
      some.y = some.y.from(first * result);
      if (some.residual) some.residual = some.residual.from(first * result);
      if (all_finite(some) || !some.joined) continue;
      some.joined = false;
      all_finite(some);
    }
  }

  // Computes it.
  static bool all_finite(const winograd::Problem& problem) {
    std::atomic<bool> finite = true;
    run_blocks(winograd::count_blocks(problem), winograd::scratch_size(problem),
               [&](int block, float* scratch) {
                 if (!winograd::run(problem, block, block + 1, scratch)) finite = false;
               });
    return finite;
  }

  const ConvArgs args_;
  const winograd::Weights weights_;
  const int pad_;
  const bool joined_;
  const ActivationFormat x_format_, residual_format_, y_format_;
};

REGISTER_OPERATOR_AS("caffe2rt.WinogradConv", WinogradConv)
    .says("Convolution with a 3x3 window of stride 1, with a quarter or a fifth of the multiplications.")
    .input("X", "(N,C,H,W); see caffe2rt.x_format", Types::kActivation)
    .input("filter", "packed weights, winograd::packed_size bytes", Types::kUint8)
    .optional_input("bias", "(M) float32")
    .optional_input("residual", "added to Y as Add does it; see caffe2rt.residual_format", Types::kActivation)
    .output("Y", "(N,M,OH,OW); see caffe2rt.y_format", infer::by(&WinogradConv::shape))
    .args(ConvArgs::documentation())
    .args(ActivationFormat::documentation("caffe2rt.x"))
    .args(ActivationFormat::documentation("caffe2rt.residual"))
    .args(ActivationFormat::documentation("caffe2rt.y"))
    .arg("caffe2rt.precision",
         "numbers that MatMulConv would multiply: 0 float32, 1 bfloat16, 2 8 bit integers; for the pass "
         "narrow_activations")
    .arg("caffe2rt.input_scale", "of 8 bit integers: what caffe2rt.x_unit may become")
    .arg("caffe2rt.input_zero", "of 8 bit integers: what caffe2rt.x_zero may become")
    .arg("caffe2rt.channels", "C")
    .arg("caffe2rt.filters", "M")
    .arg("caffe2rt.groups", "of channels, whose filters see no others: 1 (default), or more in float32")
    .arg("caffe2rt.file_groups",
         "as many as the file has, of which caffe2rt.groups may join some; for profiles")
    .arg("caffe2rt.tile", "pixels along each side of a tile of the output: 4 (default) or 6")
    .arg("caffe2rt.joined", "1: images may share tiles; 0 (default): each has its own")
    .arg("caffe2rt.numbers",
         "what is multiplied: 0 float32, 1 16 bit integers, 2 those of filters of 8 bits");

}  // namespace
}  // namespace caffe2rt
