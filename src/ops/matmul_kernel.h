// The product of matrices that MatMulConv and MatMulFC share: its weights, packed for one kind of numbers,
// and its run on the threads of the tensor library.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/precision.h"
#include "kernels/matmul_conv.h"
#include "runtime/operator_args.h"
#include "runtime/schema.h"

namespace caffe2rt {

// What numbers are multiplied; with 8 bit ones x stands for input_scale * (q - input_zero), q from 0 to 255.
struct MatMulKind {
  Precision precision = Precision::kFloat32;
  float input_scale = 1;
  int input_zero = 0;
};

// 8 bit numbers for values in a range, which is made to hold zero.
MatMulKind quantized(Calibration::Range range);

// filter (M,C,window...) float32 -> packed weights; of 8 bit ones each filter has a scale of its own.
at::Tensor pack_matmul(const at::Tensor& filter, const MatMulKind& kind);

class MatMulKernel {
 public:
  // Reads what set_kind() wrote.
  explicit MatMulKernel(const OperatorArgs& args);
  static void set_kind(OperatorDef& def, const MatMulKind& kind);
  static std::vector<Schema::Arg> documentation();

  const MatMulKind& kind() const { return kind_; }

  // Whether run() goes by what matmul_conv::reads_pixels() allows.
  bool reads_pixels(const matmul_conv::Problem& problem) const {
    return kind_.precision == Precision::kFloat32 && matmul_conv::reads_pixels(problem);
  }

  // Whether y may lie where the residual does.
  bool writes_once(const matmul_conv::Problem& problem) const {
    return kind_.precision != Precision::kFloat32 || matmul_conv::writes_once(problem);
  }

  // Computes all blocks; `problem` is complete but for the weights and the number of threads.
  void run(matmul_conv::Problem problem, const at::Tensor& packed) const;

 private:
  MatMulKind kind_;
};

}  // namespace caffe2rt
