// Y holds X's elements with its dimensions, or its channels, in another order: Transpose, NCHW2NHWC,
// NHWC2NCHW, ChannelShuffle.
//
// Source: the original's operators of these names. ChannelShuffle (from ShuffleNet) reads the channels as a
// matrix (group, C/group) and writes its transpose.
#include <numeric>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

// An operator that permutes dimensions in an order that depends on the rank alone.
class Permuting : public Operator {
 public:
  void run(const Inputs& in, Outputs& out) const override {
    out[0] = in[0].permute(axes(in[0].dim())).contiguous();
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[0]) return std::nullopt;
    Shape y;
    for (const auto axis : axes(static_cast<std::int64_t>(in[0]->size()))) y.push_back((*in[0])[axis]);
    return y;
  }

 protected:
  // Dimension of X that each one of Y is. Throws Error(kShape).
  virtual Shape axes(std::int64_t rank) const = 0;
};

class Transpose final : public Permuting {
 public:
  explicit Transpose(const OperatorArgs& args) : axes_(args.ints("axes")) {
    Shape sorted = axes_, expected(axes_.size());
    std::sort(sorted.begin(), sorted.end());
    std::iota(expected.begin(), expected.end(), 0);
    require(sorted == expected, ErrorCode::kArgument, "argument 'axes': expected each dimension once, got {}",
            to_string(std::span(axes_)));
  }

 private:
  Shape axes(std::int64_t rank) const override {
    if (axes_.empty()) {
      Shape reversed(rank);
      std::iota(reversed.rbegin(), reversed.rend(), 0);
      return reversed;
    }
    require(static_cast<std::int64_t>(axes_.size()) == rank, ErrorCode::kShape,
            "input 0 'X': expected {} dimensions, as many as 'axes', got {}", axes_.size(), rank);
    return axes_;
  }

  const Shape axes_;
};

// Moves the channels last, or from there to the second place.
template <bool to_last>
class OrderSwitch final : public Permuting {
 public:
  explicit OrderSwitch(const OperatorArgs& /*args*/) {}

 private:
  Shape axes(std::int64_t rank) const override {
    require(rank >= 3, ErrorCode::kShape, "input 0 'X': expected 3 dimensions or more, got {}", rank);
    Shape order(rank);
    std::iota(order.begin(), order.end(), 0);
    if (to_last)
      std::rotate(order.begin() + 1, order.begin() + 2, order.end());
    else
      std::rotate(order.begin() + 1, order.end() - 1, order.end());
    return order;
  }
};

class ChannelShuffle final : public Operator {
 public:
  explicit ChannelShuffle(const OperatorArgs& args)
      : groups_(args.get("group", std::int64_t{1})),
        channels_first_(args.get("order", StorageOrder::kNchw) == StorageOrder::kNchw) {
    require(groups_ > 0, ErrorCode::kArgument, "argument 'group': expected a positive number, got {}",
            groups_);
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[0];
    shape(std::vector<PartialShape>{x.sizes().vec()});
    const std::int64_t axis = channel_axis(x.dim());
    Shape split = x.sizes().vec();
    split[axis] = groups_;
    split.insert(split.begin() + axis + 1, x.size(axis) / groups_);
    out[0] = x.reshape(split).transpose(axis, axis + 1).reshape(x.sizes());
  }

  PartialShape shape(PartialShapes in) const {
    if (!in[0]) return in[0];
    require(in[0]->size() >= 2, ErrorCode::kShape, "input 0 'X': expected 2 dimensions or more, got {}",
            to_string(in[0]));
    const std::int64_t channels = (*in[0])[channel_axis(static_cast<std::int64_t>(in[0]->size()))];
    require(channels == kUnknown || channels % groups_ == 0, ErrorCode::kShape,
            "input 0 'X': expected channels that make {} equal groups, got {}", groups_, channels);
    return in[0];
  }

 private:
  std::int64_t channel_axis(std::int64_t rank) const { return channels_first_ ? 1 : rank - 1; }

  const std::int64_t groups_;
  const bool channels_first_;
};

REGISTER_OPERATOR(Transpose)
    .says("X with its dimensions in another order.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "X's dimensions in that order", infer::by(&Permuting::shape))
    .arg("axes", "dimension of X that each one of Y is; default: reversed")
    .runs_on_any_device();

REGISTER_OPERATOR_AS("NCHW2NHWC", OrderSwitch<true>)
    .says("Moves the channels last.")
    .input("X", "(N,C,...) any type", Types::kAny)
    .output("Y", "(N,...,C)", infer::by(&Permuting::shape))
    .runs_on_any_device();

REGISTER_OPERATOR_AS("NHWC2NCHW", OrderSwitch<false>)
    .says("Moves the channels to the second place.")
    .input("X", "(N,...,C) any type", Types::kAny)
    .output("Y", "(N,C,...)", infer::by(&Permuting::shape))
    .runs_on_any_device();

REGISTER_OPERATOR(ChannelShuffle)
    .says("Interleaves groups of channels.")
    .input("X", "(N,C,...), or (N,...,C) with order NHWC, any type", Types::kAny)
    .output("Y", "shape of X", infer::by(&ChannelShuffle::shape))
    .arg("group", "number of groups, default 1")
    .arg("order", "NCHW (default) or NHWC")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
