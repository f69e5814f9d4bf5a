// Slice: Y = X[start_0:end_0, start_1:end_1, ...], dimensions without numbers whole.
//
// Source: the original's Slice. An index is cut to the dimension's size, and a negative one counts from one
// past the last: -1 is the end itself, so that `ends=-1` keeps everything.
#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Slice final : public Operator {
 public:
  enum Input { kX, kStarts, kEnds };

  explicit Slice(const OperatorArgs& args) : starts_(args.ints("starts")), ends_(args.ints("ends")) {
    require(args.num_inputs() != 2, ErrorCode::kGraph,
            "expected inputs 'starts' and 'ends', or neither, got one");
    require(args.num_inputs() == 3 || (!starts_.empty() && starts_.size() == ends_.size()),
            ErrorCode::kArgument,
            "expected arguments 'starts' and 'ends' of one length, got {} and {} numbers", starts_.size(),
            ends_.size());
  }

  void run(const Inputs& in, Outputs& out) const override {
    const auto starts = in.has(kStarts) ? integers_of(in[kStarts]) : starts_;
    const auto ends = in.has(kEnds) ? integers_of(in[kEnds]) : ends_;
    at::Tensor y = in[kX];
    require(starts.size() == ends.size() && starts.size() <= static_cast<size_t>(y.dim()), ErrorCode::kShape,
            "expected at most {} starts and as many ends, got {} and {}", y.dim(), starts.size(),
            ends.size());
    for (size_t d = 0; d < starts.size(); d++) {
      const auto [start, end] = range(starts[d], ends[d], y.size(static_cast<std::int64_t>(d)));
      y = y.narrow(static_cast<std::int64_t>(d), start, end - start);
    }
    out[0] = y;
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[kX] || in.size() == 3) return std::nullopt;
    auto y = *in[kX];
    require(starts_.size() <= y.size(), ErrorCode::kShape, "expected at most {} starts, got {}", y.size(),
            starts_.size());
    for (size_t d = 0; d < starts_.size(); d++) {
      if (y[d] == kUnknown) continue;
      const auto [start, end] = range(starts_[d], ends_[d], y[d]);
      y[d] = end - start;
    }
    return y;
  }

 private:
  struct Range {
    std::int64_t start, end;
  };

  static Range range(std::int64_t start, std::int64_t end, std::int64_t size) {
    if (size == 0) return {0, 0};
    const auto index = [size](std::int64_t i) { return std::min(i < 0 ? size + 1 + i : i, size); };
    const Range r{index(start), index(end)};
    require(r.start >= 0 && r.end >= r.start, ErrorCode::kShape, "{}:{} is no range of a dimension of {}",
            start, end, size);
    return r;
  }

  const std::vector<std::int64_t> starts_, ends_;
};

REGISTER_OPERATOR(Slice)
    .says("A part of X along each dimension.")
    .input("X", "any shape, any type", Types::kAny)
    .optional_input("starts", "(up to X's rank) int32 or int64, instead of the argument", Types::kIndex)
    .optional_input("ends", "likewise", Types::kIndex)
    .output("Y", "the part", infer::by(&Slice::shape))
    .arg("starts", "first index in each dimension; negative: -1 is the dimension's size")
    .arg("ends", "one past the last index in each dimension; negative likewise")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
