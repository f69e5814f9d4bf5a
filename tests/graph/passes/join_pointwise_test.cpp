#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

// The head of a proposal network.
std::string net(const std::string& pointwise = "", const std::string& more = "") {
  return R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w3" input: "b" output: "conv" arg { name: "kernel" i: 3 }
         arg { name: "pad" i: 1 } }
    op { type: "Relu" input: "conv" output: "relu" }
    op { type: "Conv" input: "relu" input: "w1" input: "c" output: "y" arg { name: "kernel" i: 1 } )" +
         pointwise + "}" + more;
}

Blobs weights(std::int64_t columns = 15) {
  return {{"w3", at::randn({64, 64, 3, 3}) / 24},
          {"b", at::rand({64})},
          {"w1", at::randn({columns, 64, 1, 1}) / 8},
          {"c", at::rand({columns})}};
}

using Types = std::vector<std::string>;

Types types(const std::string& text, const Blobs& constants = weights()) {
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(text), constants);
  Types all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

TEST(JoinPointwise, LeavesOneOperator) { EXPECT_EQ(types(net()), Types{"caffe2rt.WinogradHead"}); }

TEST(JoinPointwise, ResultsStayTheSame) {
  const NetDef text = parse_net_text(net());
  const Blobs constants = weights(), feeds = {{"x", at::randn({2, 64, 19, 23})}};
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    CompileOptions options;
    options.precision = precision;
    const auto run = [&] {
      Workspace workspace;
      return CompiledNet::compile(text, constants, options).run(feeds, workspace).at("y");
    };
    const at::Tensor joined = run();
    options.without_passes = {"join_pointwise"};
    EXPECT_TENSOR_NEAR(joined, run(), precision == Precision::kFloat32 ? 1e-5 : 0.05);
  }
}

TEST(JoinPointwise, LevelsShareTheirWeights) {
  const std::string second = R"(external_output: "y2" external_input: "x2"
    op { type: "Conv" input: "x2" input: "w3" input: "b" output: "conv2" arg { name: "kernel" i: 3 }
         arg { name: "pad" i: 1 } }
    op { type: "Conv" input: "conv2" input: "w1" input: "c" output: "y2" arg { name: "kernel" i: 1 } })";
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(net("", second)), weights());
  EXPECT_EQ(compiled.graph().nodes.size(), 2);
  EXPECT_EQ(compiled.graph().constants.size(), 4);
}

TEST(JoinPointwise, StaysApartWhereMoreFollowsOrIsRead) {
  const Types apart = {"caffe2rt.WinogradConv", "caffe2rt.MatMulConv"};
  EXPECT_EQ(types(net(R"(arg { name: "stride" i: 2 })")), apart);
  EXPECT_EQ(types(net(), weights(33)), apart) << "many filters";
  EXPECT_EQ(types(net("", R"(external_output: "relu")")), apart) << "an output";
  std::string activated = net("", R"(external_output: "z" op { type: "Relu" input: "y" output: "z" })");
  activated.erase(activated.find(R"(external_output: "y")"), std::string(R"(external_output: "y")").size());
  EXPECT_EQ(types(activated), apart) << "an activation follows";
}

}  // namespace
}  // namespace caffe2rt
