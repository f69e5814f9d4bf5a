#include <gtest/gtest.h>

#include "graph/passes/passes.h"

namespace caffe2rt {
namespace {

Graph conv_and_relu(const std::string& more) {
  return build_graph(parse_net_text(R"(
    external_input: "x" external_input: "w"
    op { type: "Conv" input: "x" input: "w" output: "y" }
    op { type: "Relu" input: "y" output: "z" })" +
                                    more),
                     {});
}

TEST(FuseRelu, JoinsARelu) {
  Graph graph = conv_and_relu(R"(external_output: "z")");
  fuse_relu(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].outputs, graph.outputs);
  EXPECT_EQ(graph.nodes[0].def.outputs, std::vector<std::string>{"z"});
  ASSERT_NE(graph.nodes[0].def.find("caffe2rt.relu"), nullptr);
  EXPECT_EQ(graph.values[graph.outputs[0]].producer, 0);
}

TEST(FuseRelu, JoinsOneThatWorksInPlace) {
  Graph graph = build_graph(parse_net_text(R"(
    external_input: "x" external_input: "w" external_output: "y"
    op { type: "Conv" input: "x" input: "w" output: "y" }
    op { type: "Relu" input: "y" output: "y" })"),
                            {});
  fuse_relu(graph);
  EXPECT_EQ(graph.nodes.size(), 1U);
}

TEST(FuseRelu, JoinsOneAfterGroupNormButNotAfterItsStatistics) {
  const auto graph_of = [](const std::string& more) {
    return build_graph(parse_net_text(R"(
      external_input: "x" external_input: "g" external_input: "b" external_output: "z"
      op { type: "GroupNorm" input: "x" input: "g" input: "b" output: "y" )" +
                                      more + R"( }
      op { type: "Relu" input: "y" output: "z" })"),
                       {});
  };
  Graph graph = graph_of("");
  fuse_relu(graph);
  ASSERT_EQ(graph.nodes.size(), 1U);
  ASSERT_NE(graph.nodes[0].def.find("caffe2rt.relu"), nullptr);
  Graph with_statistics = graph_of(R"(output: "mean" output: "inv_std")");
  fuse_relu(with_statistics);
  EXPECT_EQ(with_statistics.nodes.size(), 2U);
}

TEST(FuseRelu, LeavesAValueThatIsReadElsewhere) {
  Graph read_twice = conv_and_relu(R"(op { type: "Sigmoid" input: "y" output: "s" }
                                      external_output: "z" external_output: "s")");
  fuse_relu(read_twice);
  EXPECT_EQ(read_twice.nodes.size(), 3U);
  Graph returned = conv_and_relu(R"(external_output: "z" external_output: "y")");
  fuse_relu(returned);
  EXPECT_EQ(returned.nodes.size(), 2U);
}

TEST(FuseRelu, LeavesOtherOperatorsAlone) {
  Graph graph = build_graph(parse_net_text(R"(
    external_input: "x" external_output: "z"
    op { type: "Sigmoid" input: "x" output: "y" }
    op { type: "Relu" input: "y" output: "z" })"),
                            {});
  fuse_relu(graph);
  EXPECT_EQ(graph.nodes.size(), 2U);
}

}  // namespace
}  // namespace caffe2rt
