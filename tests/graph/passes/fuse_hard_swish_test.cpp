#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"
#include "runtime/fused_kernels.h"

namespace caffe2rt {
namespace {

// A convolution with a HardSwish as exporters write it.
std::string net(const std::string& conv, const std::string& alpha = "0.16666667",
                const std::string& more = "") {
  return R"(
    external_input: "x" external_input: "w" external_input: "b" external_output: "z"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "y" )" +
         conv + R"( }
    op { type: "HardSigmoid" input: "y" output: "gate" arg { name: "alpha" f: )" +
         alpha + R"( } arg { name: "beta" f: 0.5 } }
    op { type: "Mul" input: "y" input: "gate" output: "z" })" +
         more;
}

const std::string kPixel = R"(arg { name: "kernel" i: 1 })",
                  kDepthwise = R"(arg { name: "kernel" i: 3 } arg { name: "group" i: 8 })";

Blobs weights(const std::string& conv) {
  return {{"w", (conv == kPixel ? at::rand({8, 8, 1, 1}) : at::rand({8, 1, 3, 3})).sub(0.5)},
          {"b", at::rand({8})}};
}

std::vector<std::string> types(const std::string& text, const Blobs& constants) {
  const CompiledNet compiled = CompiledNet::compile(parse_net_text(text), constants);
  std::vector<std::string> all;
  for (const Node& node : compiled.graph().nodes) all.push_back(node.def.type);
  return all;
}

using Types = std::vector<std::string>;

TEST(FuseHardSwish, LeavesOneOperator) {
  EXPECT_EQ(types(net(kPixel), weights(kPixel)), Types{"caffe2rt.MatMulConv"});
  if (fused::convolution().exists()) {
    EXPECT_EQ(types(net(kDepthwise), weights(kDepthwise)), Types{"caffe2rt.PackedConv"});
  }
}

TEST(FuseHardSwish, ResultsStayTheSame) {
  for (const auto& conv : {kPixel, kDepthwise}) {
    const NetDef text = parse_net_text(net(conv));
    const Blobs constants = weights(conv), feeds = {{"x", at::rand({2, 8, 6, 7}).mul(8)}};
    CompileOptions apart;
    apart.without_passes = {"fuse_hard_swish"};
    Workspace workspace;
    EXPECT_TRUE(
        CompiledNet::compile(text, constants)
            .run(feeds, workspace)
            .at("z")
            .allclose(CompiledNet::compile(text, constants, apart).run(feeds, workspace).at("z"), 1e-5, 1e-5))
        << conv;
  }
}

TEST(FuseHardSwish, LeavesWhatIsReadElsewhereAndGatesThatOneDnnLacksAlone) {
  EXPECT_EQ(types(net(kPixel, "0.16666667", R"(external_output: "y")"), weights(kPixel)),
            (Types{"caffe2rt.MatMulConv", "caffe2rt.HardSwish"}));
  EXPECT_EQ(types(net(kPixel, "0.2"), weights(kPixel)), Types{"caffe2rt.MatMulConv"});
  if (fused::convolution().exists()) {
    EXPECT_EQ(types(net(kDepthwise, "0.2"), weights(kDepthwise)),
              (Types{"caffe2rt.PackedConv", "caffe2rt.HardSwish"}));
  }
}

}  // namespace
}  // namespace caffe2rt
