#include "graph/passes/passes.h"
#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Graph folded(const char* type, const Blobs& weights) {
  Graph graph = build_graph(net({op(type, {"x", "scales"}, {"y"})}, {"x", "scales"}, {"y"}), weights);
  fold_scales(graph);
  return graph;
}

TEST(FoldScales, ConstantsBecomeArguments) {
  for (const char* type : {"ResizeNearest", "UpsampleBilinear"}) {
    const Graph graph = folded(type, {{"scales", tensor({2}, {2, 3})}});
    const Node& node = graph.nodes.at(0);
    EXPECT_EQ(node.def.inputs, (std::vector<std::string>{"x"}));
    EXPECT_EQ(node.def.find("height_scale")->f, 2);
    EXPECT_EQ(node.def.find("width_scale")->f, 3);
    EXPECT_TRUE(graph.constants.empty());
  }
}

TEST(FoldScales, GivesTheSameResult) {
  const auto def = net({op("ResizeNearest", {"x", "scales"}, {"y"})}, {"x", "scales"}, {"y"});
  const Blobs weights = {{"scales", tensor({2}, {1.5F, 2})}}, feeds = {{"x", random({1, 2, 4, 6})}};
  CompileOptions without;
  without.without_passes = {"fold_scales"};
  Workspace workspace;
  EXPECT_TENSOR_EQ(CompiledNet::compile(def, weights).run(feeds, workspace).at("y"),
                   CompiledNet::compile(def, weights, without).run(feeds, workspace).at("y"));
}

TEST(FoldScales, ScalesThatAreFedStay) {
  EXPECT_EQ(folded("ResizeNearest", {}).nodes.at(0).inputs.size(), 2U);
}

}  // namespace
}  // namespace caffe2rt
