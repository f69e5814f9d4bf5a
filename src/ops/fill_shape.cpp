#include "ops/fill_shape.h"

namespace caffe2rt {

std::vector<Schema::Arg> FillShape::documentation() {
  return {
      {"shape", "shape of the output where there is no input; none: a single number"},
      {"extra_shape", "dimensions that follow those of the input"},
      {"input_as_shape", "1: the input holds the shape"},
  };
}

FillShape::FillShape(const OperatorArgs& args)
    : extra_(args.ints("extra_shape")), input_as_shape_(args.get("input_as_shape", false)) {
  element_count(extra_);
  if (args.num_inputs() == 0) {
    require(extra_.empty() && !input_as_shape_, ErrorCode::kArgument,
            "expected an input beside 'extra_shape' and 'input_as_shape', got none");
    fixed_ = args.ints("shape");
    element_count(*fixed_);
  } else {
    require(args.ints("shape").empty(), ErrorCode::kArgument,
            "expected an input or argument 'shape', got both");
  }
}

PartialShape FillShape::infer(PartialShapes in) const {
  if (fixed_) return fixed_;
  if (input_as_shape_ || !in[0]) return std::nullopt;
  auto shape = *in[0];
  shape.insert(shape.end(), extra_.begin(), extra_.end());
  return shape;
}

std::vector<std::int64_t> FillShape::of(const Inputs& in) const {
  if (fixed_) return *fixed_;
  std::vector<std::int64_t> shape = in[0].sizes().vec();
  if (input_as_shape_) {
    require_rank(in, 0, 1);
    require(contains(Types::kIndex, in[0].scalar_type()), ErrorCode::kType,
            "{}: expected int32 or int64, got {}", in.describe(0), c10::toString(in[0].scalar_type()));
    const at::Tensor numbers = in[0].to(at::kCPU, at::kLong).contiguous();
    const auto* begin = numbers.const_data_ptr<std::int64_t>();
    shape.assign(begin, begin + numbers.numel());
  }
  shape.insert(shape.end(), extra_.begin(), extra_.end());
  element_count(shape);
  return shape;
}

}  // namespace caffe2rt
