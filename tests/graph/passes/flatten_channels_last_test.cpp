#include "graph/passes/passes.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

const std::string pool = R"(external_input: "x" external_input: "rois" external_output: "y"
  op { type: "RoIAlign" input: "x" input: "rois" output: "p" arg { name: "pooled_h" i: 2 } arg { name: "pooled_w" i: 3 } } )";
const std::string fc = R"(op { type: "FC" input: "f" input: "w" input: "b" output: "y" })";
const Blobs weights = {{"w", random({4, 5 * 2 * 3})}, {"b", random({4})}};

Graph rewritten(const std::string& text) {
  Graph graph = build_graph(parse_net_text(text), weights);
  flatten_channels_last(graph);
  return graph;
}

TEST(FlattenChannelsLast, DropsTheFlattenAndGivesTheSame) {
  const std::string text = pool + R"(op { type: "Flatten" input: "p" output: "f" })" + fc;
  const Graph graph = rewritten(text);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[1].def.inputs[0], "p");

  const Blobs feeds = {{"x", random({1, 5, 6, 7})}, {"rois", tensor({2, 5}, {0, 0, 0, 5, 4, 0, 1, 1, 3, 5})}};
  const NetDef net = parse_net_text(text);
  for (const std::set<std::string>& less : {std::set<std::string>{}, std::set<std::string>{"pack_weights"}}) {
    CompileOptions with, without;
    with.without_passes = without.without_passes = less;
    without.without_passes.insert("flatten_channels_last");
    Workspace workspace;
    EXPECT_TENSOR_NEAR(CompiledNet::compile(net, weights, with).run(feeds, workspace).at("y"),
                       CompiledNet::compile(net, weights, without).run(feeds, workspace).at("y"), 1e-5);
  }
}

TEST(FlattenChannelsLast, LeavesOtherPatternsAlone) {
  EXPECT_EQ(
      rewritten(pool + R"(op { type: "Flatten" input: "p" output: "f" arg { name: "axis" i: 2 } })" + fc)
          .nodes.size(),
      3U);
  EXPECT_EQ(
      rewritten(
          pool +
          R"(op { type: "Relu" input: "p" output: "q" } op { type: "Flatten" input: "q" output: "f" })" + fc)
          .nodes.size(),
      4U);
}

}  // namespace
}  // namespace caffe2rt
