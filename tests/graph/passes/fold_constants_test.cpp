#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const Blobs weights = {{"v", tensor({2}, {1, 2})}, {"w", tensor({2}, {10, 20})}};

Graph folded(const std::vector<OperatorDef>& ops) {
  Graph graph = build_graph(net(ops, {"x", "v", "w"}, {"y"}), weights);
  fold_constants(graph);
  return graph;
}

TEST(FoldConstants, ComputesWhatReadsConstantsAlone) {
  const Graph graph =
      folded({op("Add", {"v", "w"}, {"a"}), op("Negative", {"a"}, {"b"}), op("Mul", {"x", "b"}, {"y"})});
  ASSERT_EQ(graph.nodes.size(), 1U);
  const Node& node = graph.nodes[0];
  EXPECT_EQ(node.def.type, "Mul");
  ASSERT_EQ(graph.constants.size(), 1U);
  EXPECT_TENSOR_EQ(graph.constants.at(node.inputs[1]), tensor({2}, {-11, -22}));
  EXPECT_EQ(graph.values[node.inputs[1]].producer, -1);
}

TEST(FoldConstants, LeavesWhatReadsAnInput) {
  EXPECT_EQ(folded({op("Add", {"x", "w"}, {"y"})}).nodes.size(), 1U);
}

TEST(FoldConstants, LeavesWhatTheCallerWants) {
  EXPECT_EQ(folded({op("Add", {"v", "w"}, {"y"})}).nodes.size(), 1U);
}

TEST(FoldConstants, NamesTheOperatorThatFails) {
  const Blobs wrong = {{"v", tensor({2}, {1, 2})}, {"w", tensor({3}, {1, 2, 3})}};
  Graph graph = build_graph(
      net({op("Add", {"v", "w"}, {"a"}), op("Mul", {"x", "a"}, {"y"})}, {"x", "v", "w"}, {"y"}), wrong);
  EXPECT_ERROR(fold_constants(graph), ErrorCode::kShape, "operator 0 'Add' (output 'a')");
}

TEST(FoldConstants, ChecksTypes) {
  const Blobs wrong = {{"v", int32_tensor({2}, {1, 2})}, {"w", tensor({2}, {1, 2})}};
  Graph graph = build_graph(
      net({op("Sigmoid", {"v"}, {"a"}), op("Mul", {"x", "a"}, {"y"})}, {"x", "v", "w"}, {"y"}), wrong);
  EXPECT_ERROR(fold_constants(graph), ErrorCode::kType, "operator 0 'Sigmoid'");
}

}  // namespace
}  // namespace caffe2rt
