// Y holds X's elements in their order, in another shape: Reshape, Flatten, FlattenToVec, Squeeze, ExpandDims.
//
// Source: the original's operators of these names. In Reshape's shape 0 stands for X's size in that place and
// one -1 for what is left. An empty X is the one difference: there the original makes -1 a 0, here (0,6) in
// shape (0,-1) stays (0,6), so that a batch without rows fits the layers after it.
#include <ATen/ops/tensor.h>

#include "ops/shape_args.h"
#include "runtime/operator.h"

namespace caffe2rt {
namespace {

using Shape = std::vector<std::int64_t>;

// An operator whose new shape follows from X's alone; X's may hold kUnknown.
class Reshaping : public Operator {
 public:
  void run(const Inputs& in, Outputs& out) const override {
    out[0] = in[0].reshape(shape_of(in[0].sizes().vec()));
  }
  PartialShape shape(PartialShapes in) const { return in[0] ? PartialShape(shape_of(*in[0])) : std::nullopt; }

 protected:
  virtual Shape shape_of(const Shape& x) const = 0;
};

class Reshape final : public Operator {
 public:
  enum Input { kX, kShape };

  explicit Reshape(const OperatorArgs& args) : shape_(args.ints("shape")) {
    require(args.has("shape") != (args.num_inputs() == 2), ErrorCode::kArgument,
            "expected the new shape as argument 'shape' or as an input, got {}",
            args.has("shape") ? "both" : "neither");
  }

  void run(const Inputs& in, Outputs& out) const override {
    const at::Tensor& x = in[kX];
    out[0] = x.reshape(resolve(x.sizes().vec(), in.has(kShape) ? integers_of(in[kShape]) : shape_));
    if (out.size() < 2) return;
    const at::Tensor sizes = at::tensor(x.sizes());
    out[1] = in.has(kShape) ? sizes.to(in[kShape].scalar_type()) : sizes;
  }

  PartialShape shape(PartialShapes in) const {
    if (in.size() == 2) return std::nullopt;
    if (in[kX]) return resolve(*in[kX], shape_);
    Shape y = shape_;
    std::replace(y.begin(), y.end(), std::int64_t{0}, kUnknown);
    return y;
  }

  PartialShape old_shape(PartialShapes in) const {
    return in[kX] ? vector_shape(in[kX]->size()) : std::nullopt;
  }

 private:
  static Shape resolve(const Shape& x, Shape shape) {
    Shape left = x;  // X's sizes less those that a 0 takes over
    std::int64_t given = 1;
    const auto free = std::find(shape.begin(), shape.end(), -1);
    for (size_t i = 0; i < shape.size(); i++) {
      require(shape[i] >= -1 && (shape[i] != -1 || shape.begin() + static_cast<std::ptrdiff_t>(i) == free),
              ErrorCode::kShape, "expected a shape with at most one -1, got {}", to_string(std::span(shape)));
      if (shape[i] == 0 && i < x.size()) {
        shape[i] = x[i];
        left[i] = 1;
      } else if (shape[i] != -1) {
        require(!__builtin_mul_overflow(given, shape[i], &given), ErrorCode::kShape,
                "a shape of an absurd size: {}", to_string(std::span(shape)));
      }
    }
    const std::int64_t rest = product(left);
    const bool fits =
        rest == kUnknown || (free == shape.end() ? rest == given : given != 0 && rest % given == 0);
    const bool empty = std::count(x.begin(), x.end(), 0) > 0 && std::count(shape.begin(), shape.end(), 0) > 0;
    require(fits || empty, ErrorCode::kShape, "{} cannot be reshaped to {}", to_string(std::span(x)),
            to_string(std::span(shape)));
    if (free != shape.end()) *free = rest == kUnknown ? kUnknown : given == 0 ? 0 : rest / given;
    return shape;
  }

  const Shape shape_;
};

class Flatten final : public Reshaping {
 public:
  explicit Flatten(const OperatorArgs& args) : axis_(args.get("axis", std::int64_t{1})) {}

 private:
  Shape shape_of(const Shape& x) const override {
    require(axis_ >= 0 && axis_ <= static_cast<std::int64_t>(x.size()), ErrorCode::kArgument,
            "axis: expected 0 to {}, got {}", x.size(), axis_);
    return {product(std::span(x).first(axis_)), product(std::span(x).subspan(axis_))};
  }

  const std::int64_t axis_;
};

class FlattenToVec final : public Reshaping {
 public:
  explicit FlattenToVec(const OperatorArgs& /*args*/) {}

 private:
  Shape shape_of(const Shape& x) const override { return {product(x)}; }
};

// The argument `dims`, sorted, each once.
Shape read_dims(const OperatorArgs& args) {
  const Shape dims = args.ints("dims");
  require(!dims.empty() && *std::min_element(dims.begin(), dims.end()) >= 0, ErrorCode::kArgument,
          "argument 'dims': expected dimensions from 0, got {}", to_string(std::span(dims)));
  return canonical_axes(dims, INT32_MAX);
}

class Squeeze final : public Reshaping {
 public:
  explicit Squeeze(const OperatorArgs& args) : dims_(read_dims(args)) {}

 private:
  Shape shape_of(const Shape& x) const override {
    Shape y = x;
    for (auto d = dims_.rbegin(); d != dims_.rend(); ++d) {
      require(*d < static_cast<std::int64_t>(x.size()) && (x[*d] == 1 || x[*d] == kUnknown),
              ErrorCode::kShape, "input 0 'X': expected size 1 in dimension {}, got {}", *d,
              to_string(std::span(x)));
      y.erase(y.begin() + *d);
    }
    return y;
  }

  const Shape dims_;
};

class ExpandDims final : public Reshaping {
 public:
  explicit ExpandDims(const OperatorArgs& args) : dims_(read_dims(args)) {}

 private:
  Shape shape_of(const Shape& x) const override {
    Shape y = x;
    for (const std::int64_t d : dims_) {
      require(d <= static_cast<std::int64_t>(y.size()), ErrorCode::kShape,
              "input 0 'X': expected {} dimensions or more, got {}", d, to_string(std::span(x)));
      y.insert(y.begin() + d, 1);
    }
    return y;
  }

  const Shape dims_;
};

REGISTER_OPERATOR(Reshape)
    .says("X's elements in another shape.")
    .input("X", "any shape, any type", Types::kAny)
    .optional_input("shape", "(rank of Y) int32 or int64, instead of the argument", Types::kIndex)
    .output("Y", "the new shape", infer::by(&Reshape::shape))
    .optional_output("old_shape", "(rank of X) shape of X: int64, or the type of the input shape",
                     infer::by(&Reshape::old_shape))
    .arg("shape", "sizes; 0: as in X, -1: what is left")
    .runs_on_any_device();

REGISTER_OPERATOR(Flatten)
    .says("X as a matrix: the dimensions before an axis are its rows.")
    .input("X", "at least `axis` dimensions, any type", Types::kAny)
    .output("Y", "(product before the axis, product from it on)", infer::by(&Reshaping::shape))
    .arg("axis", "default 1")
    .runs_on_any_device();

REGISTER_OPERATOR(FlattenToVec)
    .says("X as a vector.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "(elements)", infer::by(&Reshaping::shape))
    .runs_on_any_device();

REGISTER_OPERATOR(Squeeze)
    .says("X without some dimensions of size 1.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "the other dimensions", infer::by(&Reshaping::shape))
    .arg("dims", "the dimensions of X to leave out")
    .runs_on_any_device();

REGISTER_OPERATOR(ExpandDims)
    .says("X with dimensions of size 1 put in.")
    .input("X", "any shape, any type", Types::kAny)
    .output("Y", "X's dimensions and the new ones", infer::by(&Reshaping::shape))
    .arg("dims", "the dimensions of Y that are new")
    .runs_on_any_device();

}  // namespace
}  // namespace caffe2rt
