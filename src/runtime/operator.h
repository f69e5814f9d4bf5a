// Operator: one step of a net. Its constructor reads and checks the arguments; run() only computes. An
// operator is immutable once constructed and is shared by threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/schema.h"

namespace caffe2rt {

// The input tensors of one run, by index.
class Inputs {
 public:
  Inputs(const Schema& schema, std::span<const at::Tensor* const> tensors)
      : schema_(schema), tensors_(tensors) {}

  size_t size() const { return tensors_.size(); }
  bool has(size_t i) const { return i < tensors_.size(); }  // an optional input that is given
  const at::Tensor& operator[](size_t i) const { return *tensors_[i]; }
  std::string describe(size_t i) const;  // "input 1 'scale'"

  // Throws Error(kType) where an input's element type is not among those that the schema lists.
  void check_types() const;

 private:
  const Schema& schema_;
  const std::span<const at::Tensor* const> tensors_;
};

// The output tensors of one run, by index: run() assigns them.
using Outputs = std::vector<at::Tensor>;

class Operator {
 public:
  Operator() = default;
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // Computes every output. Inputs are never written: blobs are shared. Throws Error.
  virtual void run(const Inputs& in, Outputs& out) const = 0;

  // Whether a run on a GPU neither waits for it nor reads or writes the host's memory, and makes outputs
  // whose shapes follow from those of its inputs: then the GPU can record it (recorded_runs.h).
  virtual bool can_be_recorded() const { return false; }
};

// Guards for run(): throw Error(kShape) that says expected and got. kUnknown matches any size.
void require_rank(const Inputs& in, size_t i, std::int64_t rank);
void require_shape(const Inputs& in, size_t i, std::span<const std::int64_t> expected);
inline void require_shape(const Inputs& in, size_t i, std::initializer_list<std::int64_t> expected) {
  require_shape(in, i, std::span(expected.begin(), expected.size()));
}

// The shapes of all inputs of a run, for an operator whose shape function makes the checks of run() too.
std::vector<PartialShape> shapes_of(const Inputs& in);

namespace infer {

// What a method of the operator says: PartialShape Op::method(PartialShapes) const.
template <class Op>
Infer by(PartialShape (Op::*method)(PartialShapes) const) {
  return [method](const Operator& op, PartialShapes in) { return (static_cast<const Op&>(op).*method)(in); };
}

}  // namespace infer

template <class Op>
SchemaBuilder describe_operator(std::string type) {
  return SchemaBuilder(std::move(type), [](const OperatorArgs& args) { return std::make_unique<Op>(args); });
}

// REGISTER_OPERATOR(AffineChannel).says("...").input("X", "...").output("Y", "...", infer::same_as(0));
#define REGISTER_OPERATOR(Class) REGISTER_OPERATOR_AS(#Class, Class)
// The same where the type's name in a NetDef is not the class's, or one class has several.
#define REGISTER_OPERATOR_AS(type, Class)                                         \
  static const ::caffe2rt::Registered CAFFE2RT_UNIQUE(registered_, __COUNTER__) = \
      ::caffe2rt::describe_operator<Class>(type)
#define CAFFE2RT_UNIQUE(a, b) CAFFE2RT_JOIN(a, b)
#define CAFFE2RT_JOIN(a, b) a##b

}  // namespace caffe2rt
