#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph packed(const std::string& text) {
  Graph graph = build_graph(parse_net_text(text), {{"w", random({8, 4, 3, 3})}});
  pack_weights(graph);
  return graph;
}

TEST(PackWeights, PacksAFilterOnceForAllWhoReadItAlike) {
  const Graph graph =
      packed(R"(external_input: "x" external_output: "y" external_output: "z" external_output: "t"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 } }
    op { type: "Conv" input: "x" input: "w" output: "z" arg { name: "kernel" i: 3 } }
    op { type: "Conv" input: "x" input: "w" output: "t" arg { name: "kernel" i: 3 } arg { name: "stride" i: 2 } })");
  for (const Node& node : graph.nodes) EXPECT_EQ(node.def.type, "caffe2rt.PackedConv");
  EXPECT_EQ(graph.nodes[0].inputs[1], graph.nodes[1].inputs[1]);
  EXPECT_NE(graph.nodes[0].inputs[1], graph.nodes[2].inputs[1]);
  EXPECT_EQ(graph.constants.size(), 2U);
}

TEST(PackWeights, KeepsTheFilterForOperatorsThatReadItAsItIs) {
  const Graph graph = packed(R"(external_input: "x" external_output: "y" external_output: "v"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 } }
    op { type: "Relu" input: "w" output: "v" })");
  EXPECT_EQ(graph.nodes[0].def.type, "caffe2rt.PackedConv");
  EXPECT_EQ(graph.constants.size(), 2U);
}

TEST(PackWeights, LeavesUnevenPaddingAndOtherOrdersAlone) {
  EXPECT_EQ(packed(R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernel" i: 3 }
         arg { name: "pads" ints: 0 ints: 1 ints: 1 ints: 1 } })")
                .nodes[0]
                .def.type,
            "Conv");
  EXPECT_EQ(packed(R"(external_input: "x" external_output: "y"
    op { type: "Conv" input: "x" input: "w" output: "y" arg { name: "kernels" ints: 4 ints: 3 }
         arg { name: "order" s: "NHWC" } })")
                .nodes[0]
                .def.type,
            "Conv");
}

}  // namespace
}  // namespace caffe2rt
