#include "ops/matmul_kernel.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "kernels/dot_conv.h"
#include "ops/run_blocks.h"

namespace caffe2rt {
namespace {

using dot_conv::Kind;

constexpr const char *kPrecision = "caffe2rt.precision", *kScale = "caffe2rt.input_scale",
                     *kZero = "caffe2rt.input_zero";

at::Tensor bytes(size_t count) { return at::empty({static_cast<std::int64_t>(count)}, at::kByte); }

// The weights, then a scale and an offset a filter.
struct Int8Weights {
  size_t size;  // of the weights, bytes
  size_t filters;

  Int8Weights(size_t depth, size_t m) : size(dot_conv::packed_size(Kind::kInt8, depth, m)), filters(m) {}
  size_t total() const { return size + filters * (sizeof(float) + sizeof(std::int32_t)); }
  template <class Byte>
  auto* scales(Byte* packed) const {
    return reinterpret_cast<std::conditional_t<std::is_const_v<Byte>, const float, float>*>(packed + size);
  }
  template <class Byte>
  auto* offsets(Byte* packed) const {
    using To = std::conditional_t<std::is_const_v<Byte>, const std::int32_t, std::int32_t>;
    return reinterpret_cast<To*>(packed + size + filters * sizeof(float));
  }
};

at::Tensor pack_int8(const float* filter, size_t filters, size_t channels, size_t window,
                     const MatMulKind& kind) {
  constexpr float kLargest = 127;
  const size_t depth = channels * window;
  const Int8Weights layout(depth, filters);
  at::Tensor packed = bytes(layout.total());
  auto* to = packed.mutable_data_ptr<std::uint8_t>();
  std::vector<std::int8_t> rounded(filters * depth);
  for (size_t m = 0; m < filters; m++) {
    const float* row = filter + m * depth;
    float largest = 0;
    for (size_t k = 0; k < depth; k++) largest = std::max(largest, std::abs(row[k]));
    const float scale = largest > 0 ? largest / kLargest : 1;
    std::int32_t sum = 0;
    for (size_t k = 0; k < depth; k++) {
      rounded[m * depth + k] = static_cast<std::int8_t>(std::lround(row[k] / scale));
      sum += rounded[m * depth + k];
    }
    layout.scales(to)[m] = kind.input_scale * scale;
    layout.offsets(to)[m] = -kind.input_zero * sum;
  }
  dot_conv::pack_int8(rounded.data(), filters, channels, window, to);
  return packed;
}

}  // namespace

MatMulKind quantized(Calibration::Range range) {
  constexpr float kLevels = 255;
  const float low = std::min(0.0F, range.low), high = std::max(0.0F, range.high);
  const float scale = high > low ? (high - low) / kLevels : 1;
  return {Precision::kInt8, scale, static_cast<int>(std::lround(-low / scale))};
}

at::Tensor pack_matmul(const at::Tensor& filter, const MatMulKind& kind) {
  const at::Tensor dense = filter.contiguous();
  const auto* values = dense.const_data_ptr<float>();
  const auto filters = static_cast<size_t>(filter.size(0)), channels = static_cast<size_t>(filter.size(1)),
             depth = static_cast<size_t>(filter.numel()) / filters, window = depth / channels;
  if (kind.precision == Precision::kInt8) return pack_int8(values, filters, channels, window, kind);
  if (kind.precision == Precision::kBfloat16) {
    at::Tensor packed = bytes(dot_conv::packed_size(Kind::kBfloat16, depth, filters));
    dot_conv::pack_bfloat16(values, filters, channels, window, packed.mutable_data_ptr());
    return packed;
  }
  at::Tensor packed =
      at::empty({static_cast<std::int64_t>(matmul_conv::packed_size(depth, filters))}, at::kFloat);
  matmul_conv::pack(values, filters, channels, window, packed.mutable_data_ptr<float>());
  return packed;
}

MatMulKernel::MatMulKernel(const OperatorArgs& args)
    : kind_{static_cast<Precision>(args.get(kPrecision, 0)), args.get(kScale, 1.0F), args.get(kZero, 0)} {}

void MatMulKernel::set_kind(OperatorDef& def, const MatMulKind& kind) {
  Argument precision, scale, zero;
  precision.name = kPrecision;
  precision.i = static_cast<std::int64_t>(kind.precision);
  scale.name = kScale;
  scale.f = kind.input_scale;
  zero.name = kZero;
  zero.i = kind.input_zero;
  for (auto& arg : {precision, scale, zero}) def.args.push_back(arg);
}

std::vector<Schema::Arg> MatMulKernel::documentation() {
  return {{kPrecision, "numbers that are multiplied: 0 float32, 1 bfloat16, 2 8 bit integers"},
          {kScale, "of 8 bit integers: X is about input_scale * (q - input_zero), q from 0 to 255"},
          {kZero, "see caffe2rt.input_scale"}};
}

void MatMulKernel::run(matmul_conv::Problem problem, const at::Tensor& packed) const {
  problem.threads = at::get_num_threads();
  if (kind_.precision == Precision::kFloat32) {
    problem.packed = packed.const_data_ptr<float>();
    run_blocks(matmul_conv::count_blocks(problem), matmul_conv::scratch_size(problem),
               [&](int block, float* scratch) { matmul_conv::run(problem, block, block + 1, scratch); });
    return;
  }
  const auto* weights = packed.const_data_ptr<std::uint8_t>();
  dot_conv::Problem dot{.conv = problem, .packed = weights};
  if (kind_.precision == Precision::kInt8) {
    const Int8Weights layout(problem.depth(), static_cast<size_t>(problem.filters));
    dot.kind = Kind::kInt8;
    dot.input_scale = kind_.input_scale;
    dot.input_zero = kind_.input_zero;
    dot.scales = layout.scales(weights);
    dot.offsets = layout.offsets(weights);
  }
  dot.way = dot_conv::fastest(dot.kind);
  run_blocks(dot_conv::count_blocks(dot), dot_conv::scratch_size(dot),
             [&](int block, float* scratch) { dot_conv::run(dot, block, block + 1, scratch); });
}

}  // namespace caffe2rt
