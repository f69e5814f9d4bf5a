#include "ops/activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>

#include "base/error.h"

namespace caffe2rt {
namespace {

constexpr const char *kFormat = "_format", *kUnit = "_unit", *kZero = "_zero";

}  // namespace

ActivationFormat::ActivationFormat(const OperatorArgs& args, const std::string& name) {
  const int format = args.get(name + kFormat, 0);
  require(format >= 0 && format <= static_cast<int>(Format::kUint8), ErrorCode::kArgument,
          "argument '{}{}': expected 0, 1 or 2, got {}", name, kFormat, format);
  encoding_ = {static_cast<Format>(format), args.get(name + kUnit, 1.0F), args.get(name + kZero, 0)};
  require(encoding_.scale > 0, ErrorCode::kArgument, "argument '{}{}': expected a positive number, got {}",
          name, kUnit, encoding_.scale);
  require(encoding_.zero >= 0 && encoding_.zero <= 255, ErrorCode::kArgument,
          "argument '{}{}': expected 0 to 255, got {}", name, kZero, encoding_.zero);
}

void ActivationFormat::set(OperatorDef& def, const std::string& name, const Encoding& encoding) {
  Argument format, unit, zero;
  format.name = name + kFormat;
  format.i = static_cast<std::int64_t>(encoding.format);
  unit.name = name + kUnit;
  unit.f = encoding.scale;
  zero.name = name + kZero;
  zero.i = encoding.zero;
  for (auto& arg : {format, unit, zero}) def.args.push_back(arg);
}

std::vector<Schema::Arg> ActivationFormat::documentation(const std::string& name) {
  const std::string what = name.substr(name.find('.') + 1);
  return {{name + kFormat,
           "of " + what + ": 0 float32 (default), 1 bfloat16, 2 uint8; set by the pass narrow_activations"},
          {name + kUnit, "of uint8: q stands for " + name + kUnit + " * (q - " + name + kZero + ")"},
          {name + kZero, "see " + name + kUnit}};
}

at::ScalarType ActivationFormat::type() const {
  if (encoding_.format == Format::kFloat32) return at::kFloat;
  return encoding_.format == Format::kBfloat16 ? at::kBFloat16 : at::kByte;
}

at::Tensor ActivationFormat::empty(at::IntArrayRef shape) const {
  return at::empty(shape, type(), at::MemoryFormat::ChannelsLast);
}

Source ActivationFormat::source(const at::Tensor& activation) const {
  require(activation.scalar_type() == type(), ErrorCode::kType, "expected an activation of {}, got one of {}",
          c10::toString(type()), c10::toString(activation.scalar_type()));
  return {activation.const_data_ptr(), encoding_};
}

Target ActivationFormat::target(at::Tensor& activation) const {
  source(activation);  // checks it
  return {activation.mutable_data_ptr(), encoding_};
}

at::Tensor ActivationFormat::to_floats(const at::Tensor& activation) const {
  const at::Tensor floats = activation.to(at::kFloat);
  return encoding_.format == Format::kUint8 ? (floats - encoding_.zero) * encoding_.scale : floats;
}

at::Tensor ActivationFormat::from_floats(const at::Tensor& floats) const {
  if (encoding_.format != Format::kUint8) return floats.to(type());
  return at::clamp(at::round(floats * (1 / encoding_.scale)) + encoding_.zero, 0, 255).to(at::kByte);
}

}  // namespace caffe2rt
