#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph dropped(const std::vector<OperatorDef>& ops, const Names& outputs = {"y"}) {
  Graph graph = build_graph(net(ops, {"x"}, outputs), {});
  drop_identities(graph);
  return graph;
}

TEST(DropIdentities, ReadersReadWhatWasCopied) {
  const Graph graph =
      dropped({op("Copy", {"x"}, {"a"}), op("CopyCPUToGPU", {"a"}, {"b"}), op("Relu", {"b"}, {"y"})});
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].def.inputs, Names{"x"});
  EXPECT_EQ(graph.values[graph.outputs[0]].producer, 0);
}

TEST(DropIdentities, AConcatOfOneInputIsACopy) {
  EXPECT_EQ(dropped({op("Concat", {"x"}, {"a", "dims"}), op("Relu", {"a"}, {"y"})}).nodes.size(), 1U);
  EXPECT_EQ(
      dropped({op("Concat", {"x"}, {"a", "dims"}), op("Relu", {"a"}, {"y"})}, {"y", "dims"}).nodes.size(),
      2U);
  EXPECT_EQ(dropped({op("Concat", {"x", "x"}, {"a", "dims"}), op("Relu", {"a"}, {"y"})}).nodes.size(), 2U);
}

TEST(DropIdentities, OutputsOfTheNetKeepTheirName) {
  const Graph graph = dropped({op("Relu", {"x"}, {"a"}), op("Copy", {"a"}, {"y"})});
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.values[graph.outputs[0]].blob, "y");
}

TEST(DropIdentities, LeavesACopyAloneThatIsWrittenOver) {
  // b is a's value before a is written anew.
  const Graph graph = dropped({op("Relu", {"x"}, {"a"}), op("Copy", {"a"}, {"b"}), op("Exp", {"a"}, {"a"}),
                               op("Add", {"a", "b"}, {"y"})});
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[2].inputs[1], graph.nodes[0].outputs[0]);
}

}  // namespace
}  // namespace caffe2rt
