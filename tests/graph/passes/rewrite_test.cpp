#include "graph/passes/rewrite.h"

#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

TEST(InputReplacer, FreesAConstantWithItsLastReader) {
  const at::Tensor weight = random({2, 2});
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_output: "y" external_output: "z"
    op { type: "Add" input: "x" input: "w" output: "y" }
    op { type: "Add" input: "x" input: "w" output: "z" })"),
                            {{"w", weight}});
  const ValueId old = graph.nodes[0].inputs[1];
  const ValueId packed = add_constant(graph, "packed", random({2, 2}));
  InputReplacer inputs(graph);
  inputs.replace(graph.nodes[0], 1, packed);
  EXPECT_TRUE(graph.constants.contains(old));
  inputs.replace(graph.nodes[1], 1, packed);
  EXPECT_FALSE(graph.constants.contains(old));
  EXPECT_EQ(weight.use_count(), 1U);
  EXPECT_TRUE(graph.constants.contains(packed));
  EXPECT_EQ(graph.nodes[1].def.inputs[1], "packed");
}

TEST(InputReplacer, KeepsAConstantThatTheNetGivesOut) {
  Graph graph = build_graph(parse_net_text(R"(external_input: "x" external_output: "y" external_output: "w"
    op { type: "Add" input: "x" input: "w" output: "y" })"),
                            {{"w", random({2})}});
  const ValueId old = graph.nodes[0].inputs[1];
  const ValueId packed = add_constant(graph, "packed", random({2}));
  InputReplacer inputs(graph);
  inputs.replace(graph.nodes[0], 1, packed);
  EXPECT_TRUE(graph.constants.contains(old));
}

}  // namespace
}  // namespace caffe2rt
