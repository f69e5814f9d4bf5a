#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph packed(const std::string& text, const Shape& filter, const PassOptions& options = {}) {
  Graph graph = build_graph(parse_net_text(text), {{"w", random(filter)}, {"b", random({filter[0]})}});
  use_matmul(graph, options);
  return graph;
}

TEST(UseMatMul, PacksWeightsOnceForAllWhoReadThemAlike) {
  const Graph graph = packed(R"(external_input: "x" external_output: "y" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "x" input: "w" output: "z" arg { name: "kernel" i: 1 } })",
                             {6, 4, 1, 1});
  for (const Node& node : graph.nodes) EXPECT_EQ(node.def.type, "caffe2rt.MatMulConv");
  EXPECT_EQ(graph.nodes[0].inputs[1], graph.nodes[1].inputs[1]);
}

// The same filter read one way and the other is packed in two ways.
TEST(UseMatMul, PacksATiedFilterForEachOperator) {
  const Graph graph = packed(R"(external_input: "x" external_output: "y" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 2 } }
    op { type: "ConvTranspose" input: "x" input: "w" output: "z" arg { name: "kernel" i: 2 }
         arg { name: "stride" i: 2 } })",
                             {4, 4, 2, 2});
  EXPECT_EQ(graph.nodes[1].def.type, "caffe2rt.MatMulConvTranspose");
  EXPECT_NE(graph.nodes[0].inputs[1], graph.nodes[1].inputs[1]);
}

TEST(UseMatMul, LeavesWhatWasMeasuredToBeFasterAnotherWay) {
  const Graph graph = packed(R"(external_input: "x" external_output: "y" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "x" input: "w" output: "z" arg { name: "kernel" i: 1 } })",
                             {6, 4, 1, 1}, {.tuning = {{{"y", ConvWay::kPacked}, {"z", ConvWay::kMatMul}}}});
  EXPECT_EQ(graph.nodes[0].def.type, "Conv");
  EXPECT_EQ(graph.nodes[1].def.type, "caffe2rt.MatMulConv");
}

TEST(UseMatMul, LeavesGroupsAlone) {
  EXPECT_EQ(packed(R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 1 } arg { name: "group" i: 2 } })",
                   {6, 4, 1, 1})
                .nodes[0]
                .def.type,
            "Conv");
}

}  // namespace
}  // namespace caffe2rt
