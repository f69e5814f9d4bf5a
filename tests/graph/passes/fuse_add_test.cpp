#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Blobs weights = {{"w", tensor({1, 1, 1, 1}, {2})}, {"b", tensor({1}, {1})}};

Graph fused(const std::string& text) {
  Graph graph = build_graph(parse_net_text(text), weights);
  fuse_add(graph);
  return graph;
}

using Names = std::vector<std::string>;

TEST(FuseAdd, GivesTheSumToTheConvBeforeIt) {
  const Graph graph = fused(R"(
    external_input: "x" external_input: "r" external_output: "z"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "y" }
    op { type: "Add" input: "y" input: "r" output: "z" })");
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].def.type, "Conv");
  EXPECT_EQ(graph.nodes[0].def.inputs, (Names{"x", "w", "b", "r"}));
  EXPECT_EQ(graph.nodes[0].outputs, graph.outputs);
  EXPECT_EQ(graph.values[graph.outputs[0]].producer, 0);
}

TEST(FuseAdd, AConvWithoutBiasGetsZeros) {
  const Graph graph = fused(R"(
    external_input: "x" external_input: "r" external_output: "z"
    op { type: "Conv" input: "x" input: "w" output: "y" }
    op { type: "Sum" input: "r" input: "y" output: "z" })");
  ASSERT_EQ(graph.nodes.size(), 1U);
  ASSERT_EQ(graph.nodes[0].inputs.size(), 4U);
  EXPECT_TENSOR_EQ(graph.constants.at(graph.nodes[0].inputs[2]), tensor({1}, {0}));
  EXPECT_EQ(graph.nodes[0].def.inputs[3], "r");
}

TEST(FuseAdd, OfTwoConvolutionsTheLaterOneTakesTheSum) {
  const Graph graph = fused(R"(
    external_input: "x" external_output: "z"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "early" }
    op { type: "Conv" input: "x" input: "w" input: "b" output: "late" }
    op { type: "Add" input: "late" input: "early" output: "z" })");
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].def.outputs, Names{"early"});
  EXPECT_EQ(graph.nodes[1].def.inputs, (Names{"x", "w", "b", "early"}));
}

TEST(FuseAdd, StandsWhereTheSumStood) {
  const Graph graph = fused(R"(
    external_input: "x" external_output: "z"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "y" }
    op { type: "Sigmoid" input: "x" output: "r" }
    op { type: "Add" input: "y" input: "r" output: "z" })");
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].def.type, "Sigmoid");
  EXPECT_EQ(graph.nodes[1].def.type, "Conv");
}

TEST(FuseAdd, LeavesOtherSumsAlone) {
  const std::string conv = R"(external_input: "x" external_input: "r"
    op { type: "Conv" input: "x" input: "w" input: "b" output: "y" })";
  // Read elsewhere, twice the same, lined up in a way of its own, of three.
  EXPECT_EQ(fused(conv + R"(op { type: "Add" input: "y" input: "r" output: "z" }
                            external_output: "z" external_output: "y")")
                .nodes.size(),
            2U);
  EXPECT_EQ(fused(conv + R"(op { type: "Add" input: "y" input: "y" output: "z" } external_output: "z")")
                .nodes.size(),
            2U);
  EXPECT_EQ(
      fused(conv + R"(op { type: "Add" input: "y" input: "r" output: "z" arg { name: "broadcast" i: 1 } }
                            external_output: "z")")
          .nodes.size(),
      2U);
  EXPECT_EQ(
      fused(conv + R"(op { type: "Sum" input: "y" input: "r" input: "r" output: "z" } external_output: "z")")
          .nodes.size(),
      2U);
}

}  // namespace
}  // namespace caffe2rt
