#include "ops/matmul_kernel.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(MatMulKind, EightBitsCoverARangeThatHoldsZero) {
  const MatMulKind positive = quantized({0, 5.1F});
  EXPECT_EQ(positive.precision, Precision::kInt8);
  EXPECT_FLOAT_EQ(positive.input_scale, 0.02F);
  EXPECT_EQ(positive.input_zero, 0);
  const MatMulKind both = quantized({-1, 1.55F});
  EXPECT_FLOAT_EQ(both.input_scale, 0.01F);
  EXPECT_EQ(both.input_zero, 100);
  EXPECT_EQ(quantized({2, 5.1F}).input_zero, 0);
  EXPECT_EQ(quantized({0, 0}).input_scale, 1);
}

// Two layers: the first is one that 8 bit numbers may do, the second reads it.
const NetDef two_layers = parse_net_text(R"(external_input: "x" external_output: "z"
  op { type: "Conv" input: "x" input: "w" input: "b" output: "y" arg { name: "kernel" i: 3 } arg { name: "stride" i: 2 } }
  op { type: "Relu" input: "y" output: "y" }
  op { type: "FC" input: "y" input: "v" input: "c" output: "h" }
  op { type: "Relu" input: "h" output: "h" }
  op { type: "FC" input: "h" input: "u" input: "d" output: "z" })");
const Blobs weights = {{"w", random({24, 20, 3, 3})}, {"b", random({24})},    {"v", random({18, 24 * 4 * 3})},
                       {"c", random({18})},           {"u", random({5, 18})}, {"d", random({5})}};

// How far two tensors are apart, over the largest value.
float distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>() / b.abs().max().item<float>();
}

TEST(MatMulKernel, ComesCloseToFloat32InLowerPrecisions) {
  const at::Tensor x = random({2, 20, 9, 7});
  Workspace workspace;
  const at::Tensor exact = CompiledNet::compile(two_layers, weights).run({{"x", x}}, workspace).at("z");

  const auto halved = CompiledNet::compile(two_layers, weights, {.precision = Precision::kBfloat16});
  const float bfloat16 = distance(halved.run({{"x", x}}, workspace).at("z"), exact);
  EXPECT_GT(bfloat16, 0);
  EXPECT_LT(bfloat16, 0.02);

  const float widest = x.abs().max().item<float>();
  CompileOptions options{.precision = Precision::kInt8};
  options.calibration = Calibration{{{"x", {-widest, widest}}, {"y", {0, 60}}}};
  const auto eight = CompiledNet::compile(two_layers, weights, options);
  const float int8 = distance(eight.run({{"x", x}}, workspace).at("z"), exact);
  EXPECT_GT(int8, 0);
  EXPECT_LT(int8, 0.05);
}

std::vector<std::int64_t> precisions(const CompiledNet& net) {
  std::vector<std::int64_t> found;
  for (const Node& node : net.graph().nodes)
    if (const Argument* precision = node.def.find("caffe2rt.precision")) found.push_back(*precision->i);
  return found;
}

TEST(MatMulKernel, LastLayersAndThoseWithoutARangeKeepMoreThanEightBits) {
  CompileOptions options{.precision = Precision::kInt8};
  options.calibration = Calibration{{{"x", {-3, 3}}, {"h", {0, 60}}}};
  EXPECT_EQ(precisions(CompiledNet::compile(two_layers, weights, options)),
            (std::vector<std::int64_t>{2, 1, 1}));
}

TEST(MatMulKernel, RefusesACalibrationOfAnotherNet) {
  CompileOptions options{.precision = Precision::kInt8};
  EXPECT_ERROR(CompiledNet::compile(two_layers, weights, options), ErrorCode::kArgument,
               "expected a calibration");
  options.calibration = Calibration{{{"other", {-3, 3}}}};
  EXPECT_ERROR(CompiledNet::compile(two_layers, weights, options), ErrorCode::kGraph, "it is another net's");
}

}  // namespace
}  // namespace caffe2rt
