// Relu, caffe2rt.HardSwish, Clip and HardSigmoid on a GPU.
#include <ATen/ops/empty_like.h>

#include <limits>

#include "ops/cuda/clip.h"
#include "ops/cuda/finish.h"
#include "ops/cuda/tensors.h"
#include "runtime/cuda_operator.h"

namespace caffe2rt::cuda {
namespace {

// One number of X makes one of Y, in X's element type, as memory lies.
class Activation : public Operator {
 public:
  void run(const Inputs& in, Outputs& out) const final {
    const at::Tensor x = in[0].is_non_overlapping_and_dense() ? in[0] : in[0].contiguous();
    out[0] = at::empty_like(x);
    compute(x, out[0]);
    check_launch();
  }
  bool can_be_recorded() const final { return true; }

 private:
  virtual void compute(const at::Tensor& x, const at::Tensor& y) const = 0;
};

void finish_alone(const at::Tensor& x, const at::Tensor& y, Finish f) {
  f.from = x.const_data_ptr();
  f.to = y.mutable_data_ptr();
  f.size = x.numel();
  f.type = numbers_of(x);
  finish(f, stream());
}

class Relu final : public Activation {
 public:
  explicit Relu(const OperatorArgs& /*args*/) {}

 private:
  void compute(const at::Tensor& x, const at::Tensor& y) const override {
    Finish f;
    f.relu = true;
    finish_alone(x, y, f);
  }
};

class HardSwishOp final : public Activation {
 public:
  explicit HardSwishOp(const OperatorArgs& args) : f_{args.get("alpha", 0.2F), args.get("beta", 0.5F)} {}

 private:
  void compute(const at::Tensor& x, const at::Tensor& y) const override {
    Finish f;
    f.hard_swish = f_;
    finish_alone(x, y, f);
  }

  const HardSwish f_;
};

void clip_alone(const at::Tensor& x, const at::Tensor& y, ClippedLine line) {
  line.from = x.const_data_ptr();
  line.to = y.mutable_data_ptr();
  line.size = x.numel();
  line.type = numbers_of(x);
  clip_line(line, stream());
}

class Clip final : public Activation {
 public:
  explicit Clip(const OperatorArgs& args)
      : min_(args.get("min", std::numeric_limits<float>::lowest())),
        max_(args.get("max", std::numeric_limits<float>::max())) {}

 private:
  void compute(const at::Tensor& x, const at::Tensor& y) const override {
    ClippedLine line;
    line.low = min_;
    line.high = max_;
    clip_alone(x, y, line);
  }

  const float min_, max_;
};

class HardSigmoid final : public Activation {
 public:
  explicit HardSigmoid(const OperatorArgs& args)
      : alpha_(args.get("alpha", 0.2F)), beta_(args.get("beta", 0.5F)) {}

 private:
  void compute(const at::Tensor& x, const at::Tensor& y) const override {
    ClippedLine line;
    line.alpha = alpha_;
    line.beta = beta_;
    line.high = 1;
    line.high_first = true;
    clip_alone(x, y, line);
  }

  const float alpha_, beta_;
};

REGISTER_CUDA_OPERATOR("Relu", Relu);
// A slope of 0, which Finish takes for none, is left to the host.
const RegisteredOnCuda hard_swish("caffe2rt.HardSwish",
                                  [](const OperatorArgs& args) -> std::unique_ptr<Operator> {
                                    if (args.get("alpha", 0.2F) == 0) return nullptr;
                                    return std::make_unique<HardSwishOp>(args);
                                  });
REGISTER_CUDA_OPERATOR("Clip", Clip);
REGISTER_CUDA_OPERATOR("HardSigmoid", HardSigmoid);

}  // namespace
}  // namespace caffe2rt::cuda
