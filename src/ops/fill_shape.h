// FillShape: the shape of what a fill makes: its arguments, or that of its input, or the numbers in its
// input.
#pragma once

#include <vector>

#include "runtime/operator.h"

namespace caffe2rt {

class FillShape {
 public:
  // Reads `shape`, `extra_shape` and `input_as_shape`. Throws Error(kArgument) where they do not go together,
  // and Error(kLimit) for a shape past Limits::tensor_elements.
  explicit FillShape(const OperatorArgs& args);

  // Without an input the shape is known from the start.
  const PartialShape& fixed() const { return fixed_; }

  PartialShape infer(PartialShapes in) const;
  std::vector<std::int64_t> of(const Inputs& in) const;

  static constexpr char kInputDoc[] =
      "gives its shape to the output, or, with input_as_shape, (D) int64 that is the shape";
  static std::vector<Schema::Arg> documentation();  // of the arguments

 private:
  PartialShape fixed_;
  std::vector<std::int64_t> extra_;
  bool input_as_shape_;
};

}  // namespace caffe2rt
