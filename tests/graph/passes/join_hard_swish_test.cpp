#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph joined(const std::vector<OperatorDef>& ops, const Names& outputs = {"y"}) {
  Graph graph = build_graph(net(ops, {"x"}, outputs), {});
  join_hard_swish(graph);
  return graph;
}

TEST(JoinHardSwish, JoinsAGateToWhatItGates) {
  for (const Names& factors : {Names{"x", "gate"}, Names{"gate", "x"}}) {
    OperatorDef sigmoid = op("HardSigmoid", {"x"}, {"gate"});
    Argument alpha;
    alpha.name = "alpha";
    alpha.f = 0.25F;
    sigmoid.args = {alpha};
    const Graph graph = joined({sigmoid, op("Mul", factors, {"y"})});
    ASSERT_EQ(graph.nodes.size(), 1U);
    EXPECT_EQ(graph.nodes[0].def.type, "caffe2rt.HardSwish");
    EXPECT_EQ(graph.nodes[0].def.inputs, Names{"x"});
    EXPECT_EQ(graph.nodes[0].def.find("alpha")->f, 0.25F);
  }
}

TEST(JoinHardSwish, LeavesOtherGatesAlone) {
  EXPECT_EQ(joined({op("HardSigmoid", {"x"}, {"gate"}), op("Mul", {"x", "gate"}, {"y"})}, {"y", "gate"})
                .nodes.size(),
            2U);
  EXPECT_EQ(
      joined({op("Relu", {"x"}, {"a"}), op("HardSigmoid", {"a"}, {"gate"}), op("Mul", {"x", "gate"}, {"y"})})
          .nodes.size(),
      3U);
}

}  // namespace
}  // namespace caffe2rt
