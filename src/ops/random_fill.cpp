// Random fills, the same numbers in every run: the seed comes from the output blob's name.
//   GaussianFill: normal(mean, std)                UniformFill: uniform in [min, max)
//   XavierFill: uniform in [-s, s), s = sqrt(3 / (elements / shape[0]))
//   MSRAFill: normal(0, sqrt(2 / (elements / shape[1])))
// Source of the distributions: Caffe2's fillers, whose seed is its own.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "base/fnv1a.h"
#include "ops/fill_shape.h"

namespace caffe2rt {
namespace {

class RandomFill : public Operator {
 public:
  explicit RandomFill(const OperatorArgs& args)
      : shape_(args), device_(args.device()), seed_(fnv1a(args.def().outputs.front())) {}

  PartialShape shape(PartialShapes in) const { return shape_.infer(in); }

  void run(const Inputs& in, Outputs& out) const override {
    at::Tensor y = at::empty(shape_.of(in), at::kFloat);
    if (y.numel() > 0) fill(y, at::make_generator<at::CPUGeneratorImpl>(seed_));
    out[0] = y.to(device_);
  }

 protected:
  // Writes every element of y, which has at least one.
  virtual void fill(at::Tensor& y, const at::Generator& generator) const = 0;

  // The number of elements for one index along `axis`.
  static double fan_of(const at::Tensor& y, std::int64_t axis) {
    require(y.dim() > axis, ErrorCode::kShape, "expected at least {} dimensions, got {}", axis + 1,
            to_string(PartialShape(y.sizes().vec())));
    const std::int64_t fan = y.numel() / y.size(axis);
    return static_cast<double>(fan);
  }

 private:
  const FillShape shape_;
  const c10::Device device_;
  const std::uint64_t seed_;
};

class GaussianFill final : public RandomFill {
 public:
  explicit GaussianFill(const OperatorArgs& args)
      : RandomFill(args), mean_(args.get("mean", 0.0F)), std_(std::abs(args.get("std", 1.0F))) {}

 private:
  void fill(at::Tensor& y, const at::Generator& generator) const override {
    y.normal_(mean_, std_, generator);
  }

  const float mean_, std_;
};

class UniformFill final : public RandomFill {
 public:
  explicit UniformFill(const OperatorArgs& args)
      : RandomFill(args), min_(args.get("min", 0.0F)), max_(args.get("max", 1.0F)) {
    require(min_ < max_, ErrorCode::kArgument, "expected 'min' less than 'max', got {} and {}", min_, max_);
  }

 private:
  void fill(at::Tensor& y, const at::Generator& generator) const override {
    y.uniform_(min_, max_, generator);
  }

  const float min_, max_;
};

class XavierFill final : public RandomFill {
 public:
  using RandomFill::RandomFill;

 private:
  void fill(at::Tensor& y, const at::Generator& generator) const override {
    const double scale = std::sqrt(3 / fan_of(y, 0));
    y.uniform_(-scale, scale, generator);
  }
};

class MsraFill final : public RandomFill {
 public:
  using RandomFill::RandomFill;

 private:
  void fill(at::Tensor& y, const at::Generator& generator) const override {
    y.normal_(0, std::sqrt(2 / fan_of(y, 1)), generator);
  }
};

template <class Op>
SchemaBuilder describe(const char* type, const char* doc) {
  SchemaBuilder builder = describe_operator<Op>(type);
  builder.says(doc)
      .optional_input("input", FillShape::kInputDoc, Types::kAny)
      .output("Y", "float32", infer::by(&RandomFill::shape))
      .args(FillShape::documentation());
  return builder;
}

const Registered kFills[] = {
    describe<GaussianFill>("GaussianFill", "Normally distributed numbers.")
        .arg("mean", "default 0")
        .arg("std", "standard deviation, default 1"),
    describe<UniformFill>("UniformFill", "Uniformly distributed numbers.")
        .arg("min", "default 0")
        .arg("max", "default 1"),
    describe<XavierFill>("XavierFill",
                         "Uniformly distributed numbers for the weights of a layer, by its inputs."),
    describe<MsraFill>("MSRAFill",
                       "Normally distributed numbers for the weights of a layer, by its outputs."),
};

}  // namespace
}  // namespace caffe2rt
