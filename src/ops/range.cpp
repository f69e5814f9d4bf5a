// Range: Y[i] = start + i * step, as long as that is before stop.
//
// Source: the original's Range. With a negative step it leaves out the last integer where the step does not
// divide the distance: 7, 5 and not 3 from 7 down to 2.
#include <ATen/ops/arange.h>

#include <array>
#include <cmath>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

// How many elements there are from 0 to `distance`.
std::int64_t count(std::int64_t distance, std::int64_t step) {
  const std::int64_t whole = distance / step;
  return whole + (whole * step < distance ? 1 : 0);
}
float count(float distance, float step) { return std::ceil(distance / step); }
double count(double distance, double step) { return std::ceil(distance / step); }

// T is the elements' type, Wide the one to compute in: the original's, or one in which nothing overflows.
template <class T, class Wide>
at::Tensor range(std::span<const at::Tensor> ends, at::TensorOptions options) {
  const auto value = [&](size_t i) { return static_cast<Wide>(ends[i].item<T>()); };
  const Wide start = ends.size() == 1 ? Wide{0} : value(0), stop = value(ends.size() == 1 ? 0 : 1),
             step = ends.size() < 3 ? Wide{1} : value(2);
  constexpr auto kMost = static_cast<Wide>(std::int64_t{1} << 61);
  for (const Wide v : {start, stop, step})
    require(v > -kMost && v < kMost, ErrorCode::kArgument, "expected numbers below 2^61, got {}", v);
  require(step != 0, ErrorCode::kArgument, "input 2 'step': expected another number than 0, got 0");
  const auto elements = count(stop - start, step);
  require(elements < kMost, ErrorCode::kLimit, "a range of {} elements", elements);
  const std::array shape = {std::max<std::int64_t>(static_cast<std::int64_t>(elements), 0)};
  element_count(shape);
  return at::arange(shape[0], options).mul_(step).add_(start);
}

class Range final : public Operator {
 public:
  explicit Range(const OperatorArgs& /*args*/) {}

  void run(const Inputs& in, Outputs& out) const override {
    std::vector<at::Tensor> ends;
    for (size_t i = 0; i < in.size(); i++) {
      require(in[i].numel() == 1, ErrorCode::kShape, "{}: expected one element, got {}", in.describe(i),
              in[i].numel());
      require(in[i].scalar_type() == in[0].scalar_type(), ErrorCode::kType, "{}: expected {}, got {}",
              in.describe(i), c10::toString(in[0].scalar_type()), c10::toString(in[i].scalar_type()));
      ends.push_back(in[i]);
    }
    out[0] = make(ends, in[0].options());
  }

 private:
  static at::Tensor make(std::span<const at::Tensor> ends, at::TensorOptions options) {
    switch (ends[0].scalar_type()) {
      case at::kInt:
        return range<std::int32_t, std::int64_t>(ends, options);
      case at::kLong:
        return range<std::int64_t, std::int64_t>(ends, options);
      case at::kDouble:
        return range<double, double>(ends, options);
      default:
        return range<float, float>(ends, options);
    }
  }
};

REGISTER_OPERATOR(Range)
    .says("Evenly spaced numbers.")
    .input("start", "one element; stop, where it is the only input", Types::kNumber)
    .optional_input("stop", "one element, type of start: the end, itself not in the range", Types::kNumber)
    .optional_input("step", "one element, type of start; default 1", Types::kNumber)
    .output("Y", "(elements) type of start", infer::fixed({kUnknown}));

}  // namespace
}  // namespace caffe2rt
