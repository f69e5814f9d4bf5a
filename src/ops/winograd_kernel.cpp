#include "ops/winograd_kernel.h"

#include <atomic>
#include <cmath>

#include "ops/run_blocks.h"

namespace caffe2rt {
namespace {

// Computes it. Whether all results are finite.
bool all_finite(const winograd::Problem& problem) {
  std::atomic<bool> finite = true;
  run_blocks(winograd::count_blocks(problem), winograd::scratch_size(problem),
             [&](int block, float* scratch) {
               if (!winograd::run(problem, block, block + 1, scratch)) finite = false;
             });
  return finite;
}

// Images that are joined, but for those that are not finite, which keep that to themselves: of an empty
// region no number is.
void run_images(const winograd::Problem& all) {
  const int numbers = all.pointwise ? all.columns : all.weights.filters;  // of a pixel of y
  const size_t image = static_cast<size_t>(all.height) * all.width * all.weights.channels,
               result = static_cast<size_t>(all.out_height()) * all.out_width() * numbers;
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

}  // namespace

WinogradKernel::WinogradKernel(const OperatorArgs& args)
    : weights_{.numbers = static_cast<winograd::Numbers>(args.get("caffe2rt.numbers", 0)),
               .tile = args.get("caffe2rt.tile", 4),
               .channels = args.get("caffe2rt.channels", 0),
               .filters = args.get("caffe2rt.filters", 0),
               .groups = args.get("caffe2rt.groups", 1)},
      pad_(args.get("pad", 0)),
      joined_(args.get("caffe2rt.joined", false)) {
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
  require(weights_.tile == 4 || (weights_.tile == 6 && weights_.numbers == winograd::Numbers::kFloat32),
          ErrorCode::kArgument, "argument 'caffe2rt.tile': expected 4, or in float32 6, got {}",
          weights_.tile);
  require(pad_ == 0 || pad_ == 1, ErrorCode::kArgument, "argument 'pad': expected 0 or 1, got {}", pad_);
}

const std::vector<Schema::Arg>& WinogradKernel::documentation() {
  static const std::vector<Schema::Arg> args = {
      {"caffe2rt.precision",
       "numbers that MatMulConv would multiply: 0 float32, 1 bfloat16, 2 8 bit integers; for the pass "
       "narrow_activations"},
      {"caffe2rt.input_scale", "of 8 bit integers: what caffe2rt.x_unit may become"},
      {"caffe2rt.input_zero", "of 8 bit integers: what caffe2rt.x_zero may become"},
      {"caffe2rt.channels", "C"},
      {"caffe2rt.filters", "M"},
      {"caffe2rt.groups", "of channels, whose filters see no others: 1 (default), or more in float32"},
      {"caffe2rt.file_groups",
       "as many as the file has, of which caffe2rt.groups may join some; for profiles"},
      {"caffe2rt.tile", "pixels along each side of a tile of the output: 4 (default), or in float32 6"},
      {"caffe2rt.joined", "1: images may share tiles; 0 (default): each has its own"},
      {"caffe2rt.numbers", "what is multiplied: 0 float32, 1 16 bit integers, 2 those of filters of 8 bits"}};
  return args;
}

PartialShape WinogradKernel::shape(const ConvArgs& args, const PartialShape& x, const PartialShape& bias,
                                   const PartialShape& residual) const {
  return args.shape(x, std::vector<std::int64_t>{weights_.filters, weights_.channels, 3, 3}, bias, residual);
}

// What the kernel multiplies beside the packed weights: nothing in float32.
at::Tensor WinogradKernel::make_matrices(const void* packed) const {
  at::Tensor matrices = at::empty({static_cast<std::int64_t>(winograd::matrices_size(weights_))}, at::kByte);
  if (matrices.numel() == 0) return matrices;
  auto* to = matrices.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, winograd::count_parts(weights_), 1, [&](std::int64_t first, std::int64_t last) {
    winograd::make_matrices(weights_, packed, static_cast<int>(first), static_cast<int>(last), to);
  });
  return matrices;
}

void WinogradKernel::run(const at::Tensor& x, const at::Tensor& packed, winograd::Problem problem) const {
  const at::Tensor matrices = make_matrices(packed.const_data_ptr());
  problem.weights = weights_;
  problem.images = static_cast<int>(x.size(0));
  problem.height = static_cast<int>(x.size(2));
  problem.width = static_cast<int>(x.size(3));
  problem.pad = pad_;
  problem.joined = joined_;
  problem.threads = at::get_num_threads();
  problem.packed = packed.const_data_ptr();
  problem.matrices = matrices.const_data_ptr();
  run_images(problem);
}

}  // namespace caffe2rt
