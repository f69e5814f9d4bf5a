#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {
namespace {

// An inverted residual's second half: a depthwise convolution, a Relu or a HardSwish, a 1x1 convolution and a
// sum.
std::string net(const std::string& activation, const std::string& pointwise = "",
                const std::string& more = "") {
  return R"(
    external_input: "x" external_input: "r" external_input: "dw" external_input: "db" external_input: "w"
    external_input: "b" external_output: "z"
    op { type: "Conv" input: "x" input: "dw" input: "db" output: "d" arg { name: "kernel" i: 5 } arg { name: "pad" i: 2 }
         arg { name: "stride" i: 2 } arg { name: "group" i: 40 } })" +
         activation + R"(
    op { type: "Conv" input: "a" input: "w" input: "b" output: "y" arg { name: "kernel" i: 1 } )" +
         pointwise + R"( }
    op { type: "Sum" input: "y" input: "r" output: "z" })" +
         more;
}

const std::string
    kRelu = R"(op { type: "Relu" input: "d" output: "a" })",
    kHardSwish = R"(op { type: "HardSigmoid" input: "d" output: "gate" arg { name: "alpha" f: 0.16666667 }
                                      arg { name: "beta" f: 0.5 } }
                                  op { type: "Mul" input: "d" input: "gate" output: "a" })";

Blobs weights() {
  return {{"dw", at::rand({40, 1, 5, 5}).sub(0.5)},
          {"db", at::rand({40})},
          {"w", at::rand({24, 40, 1, 1}).sub(0.5)},
          {"b", at::rand({24})}};
}

std::vector<std::string> types(const std::string& text, const CompileOptions& options = {}) {
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(text), weights(), options);
  std::vector<std::string> all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

using Types = std::vector<std::string>;

TEST(JoinSeparable, LeavesOneOperator) {
  EXPECT_EQ(types(net(kRelu)), Types{"caffe2rt.SeparableConv"});
  EXPECT_EQ(types(net(kHardSwish)), Types{"caffe2rt.SeparableConv"});
}

TEST(JoinSeparable, ResultsStayTheSame) {
  for (const auto& activation : {kRelu, kHardSwish}) {
    const NetDef text = parse_net_text(net(activation));
    const Blobs constants = weights(),
                feeds = {{"x", at::rand({2, 40, 15, 18}).sub(0.5)}, {"r", at::rand({2, 24, 8, 9})}};
    CompileOptions plain;
    plain.without_passes = parse_passes({"all"});
    Workspace workspace;
    EXPECT_TRUE(
        CompiledNet::compile(text, constants)
            .run(feeds, workspace)
            .at("z")
            .allclose(CompiledNet::compile(text, constants, plain).run(feeds, workspace).at("z"), 1e-4, 1e-4))
        << activation;
  }
}

TEST(JoinSeparable, StaysApartWhereTheFirstResultIsWantedOrTheSecondIsAnother) {
  const Types apart = {"caffe2rt.DepthwiseConv", "caffe2rt.MatMulConv"};
  EXPECT_EQ(types(net(kRelu, "", R"(external_output: "a")")), apart) << "a result";
  EXPECT_EQ(types(net(kRelu, R"(arg { name: "stride" i: 2 })")), apart) << "every second pixel";
  EXPECT_EQ(types(net(kRelu, R"(arg { name: "pad" i: 1 })")), apart) << "pixels around";
  CompileOptions rounded;
  rounded.precision = Precision::kBfloat16;
  EXPECT_EQ(types(net(kRelu), rounded), apart) << "other numbers are multiplied";
}

}  // namespace
}  // namespace caffe2rt
