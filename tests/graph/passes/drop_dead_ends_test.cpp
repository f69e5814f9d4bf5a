#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph dropped(const NetDef& def, const Blobs& weights = {}, const GraphOptions& options = {}) {
  Graph graph = build_graph(def, weights, options);
  drop_dead_ends(graph);
  return graph;
}

TEST(DropDeadEnds, RemovesChainsThatNothingReads) {
  const auto graph = dropped(
      net({op("Relu", {"x"}, {"a"}), op("Tanh", {"a"}, {"b"}), op("Exp", {"x"}, {"y"})}, {"x"}, {"y"}));
  ASSERT_EQ(graph.nodes.size(), 1);
  EXPECT_EQ(graph.nodes[0].def.type, "Exp");
  EXPECT_EQ(graph.values[graph.outputs[0]].producer, 0);
}

TEST(DropDeadEnds, KeepsAnOperatorWithOneOutputThatIsRead) {
  const auto graph = dropped(net({op("Split", {"x"}, {"a", "b"}), op("Relu", {"b"}, {"y"})}, {"x"}, {"y"}));
  EXPECT_EQ(graph.nodes.size(), 2);
}

TEST(DropDeadEnds, RemovesOptionalOutputsAtTheEnd) {
  const auto def = net({op("Concat", {"x", "w"}, {"y", "sizes"})}, {"x", "w"}, {"y"});
  EXPECT_EQ(dropped(def).nodes.at(0).outputs.size(), 1U);
  EXPECT_EQ(dropped(def).nodes.at(0).def.outputs, (std::vector<std::string>{"y"}));
  EXPECT_EQ(dropped(def, {}, {.keep = {"sizes"}}).nodes.at(0).outputs.size(), 2U);
}

TEST(DropDeadEnds, KeepsWhatTheCallerAskedFor) {
  const auto def = net({op("Relu", {"x"}, {"a"}), op("Exp", {"x"}, {"y"})}, {"x"}, {"y"});
  EXPECT_EQ(dropped(def, {}, {.keep = {"a"}}).nodes.size(), 2);
}

TEST(DropDeadEnds, RemovesInputsAndWeightsThatNothingReads) {
  const Blobs weights = {{"w", tensor({1}, {1})}, {"v", tensor({1}, {1})}};
  const auto graph =
      dropped(net({op("Add", {"z", "w"}, {"a"}), op("Add", {"x", "v"}, {"y"})}, {"x", "z", "w", "v"}, {"y"}),
              weights);
  ASSERT_EQ(graph.inputs.size(), 1);
  EXPECT_EQ(graph.values[graph.inputs[0]].blob, "x");
  ASSERT_EQ(graph.constants.size(), 1);
  EXPECT_EQ(graph.values[graph.constants.begin()->first].blob, "v");
}

TEST(DropDeadEnds, RemovesAWriteThatALaterOneReplaces) {
  const auto graph = dropped(net({op("Relu", {"x"}, {"y"}), op("Exp", {"x"}, {"y"})}, {"x"}, {"y"}));
  ASSERT_EQ(graph.nodes.size(), 1);
  EXPECT_EQ(graph.nodes[0].def.type, "Exp");
}

}  // namespace
}  // namespace caffe2rt
