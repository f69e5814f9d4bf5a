// Mod: Y[i] = what is left of X[i] divided by `divisor`, with the sign of X[i] or of the divisor.
//
// Source: the original's Mod.
#include <ATen/ops/fmod.h>
#include <ATen/ops/remainder.h>

#include <limits>

#include "runtime/operator.h"

namespace caffe2rt {
namespace {

class Mod final : public Operator {
 public:
  explicit Mod(const OperatorArgs& args)
      : divisor_(args.get("divisor", std::int64_t{0})),
        sign_follows_divisor_(args.get("sign_follow_divisor", false)) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    require(divisor_ != 0 && divisor_ >= -kMost && divisor_ <= kMost, ErrorCode::kArgument,
            "argument 'divisor': expected {} to {} and not 0, got {}", -kMost, kMost, divisor_);
  }

  void run(const Inputs& in, Outputs& out) const override {
    out[0] = sign_follows_divisor_ ? at::remainder(in[0], divisor_) : at::fmod(in[0], divisor_);
  }

 private:
  const std::int64_t divisor_;
  const bool sign_follows_divisor_;
};

REGISTER_OPERATOR(Mod)
    .says("What is left of a division of integers.")
    .input("X", "any shape, int32 or int64", Types::kIndex)
    .output("Y", "shape and type of X", infer::same_as(0))
    .arg("divisor", "any integer but 0")
    .arg("sign_follow_divisor", "1: what is left has the divisor's sign; 0 (default): that of X")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
