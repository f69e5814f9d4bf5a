#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "runtime/compiled_net.h"

namespace caffe2rt {
namespace {

const char* const kHeads = R"(
    external_input: "x" external_input: "f" external_input: "fb" external_input: "g" external_input: "gb"
    external_output: "logits" external_output: "deltas"
    op { type: "Conv" input: "x" input: "f" input: "fb" output: "logits" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "x" input: "g" input: "gb" output: "deltas" arg { name: "kernel" i: 1 } })";

Blobs weights(std::int64_t logits, std::int64_t deltas) {
  return {{"f", at::rand({logits, 8, 1, 1})},
          {"fb", at::rand({logits})},
          {"g", at::rand({deltas, 8, 1, 1})},
          {"gb", at::rand({deltas})}};
}

Graph joined(const std::string& net, const Blobs& constants) {
  Graph graph = build_graph(parse_net_text(net), constants);
  join_siblings(graph);
  return graph;
}

std::vector<std::string> types(const Graph& graph) {
  std::vector<std::string> all;
  for (const Node& node : graph.nodes) all.push_back(node.def.type);
  return all;
}

using Types = std::vector<std::string>;

TEST(JoinSiblings, LogitsAndDeltasAreOneConvolutionThatIsSplit) {
  const Graph graph = joined(kHeads, weights(3, 12));
  ASSERT_EQ(types(graph), (Types{"Conv", "Split"}));
  EXPECT_EQ(graph.nodes[1].outputs, graph.outputs);
  EXPECT_EQ(graph.nodes[1].def.outputs, (Types{"logits", "deltas"}));
  EXPECT_EQ(graph.constants.at(graph.nodes[0].inputs[1]).sizes(), (at::IntArrayRef{15, 8, 1, 1}));
  EXPECT_EQ(graph.constants.size(), 2U);
}

TEST(JoinSiblings, ResultsStayTheSame) {
  const Blobs constants = weights(3, 12), feeds = {{"x", at::rand({2, 8, 5, 7})}};
  CompileOptions apart;
  apart.without_passes = {"join_siblings"};
  Workspace workspace;
  const NetDef net = parse_net_text(kHeads);
  const Blobs one = CompiledNet::compile(net, constants).run(feeds, workspace),
              two = CompiledNet::compile(net, constants, apart).run(feeds, workspace);
  for (const char* name : {"logits", "deltas"})
    EXPECT_TRUE(one.at(name).allclose(two.at(name), 1e-6)) << name;
}

TEST(JoinSiblings, LevelsShareTheJoinedFilters) {
  const Graph graph = joined(std::string(kHeads) + R"(
    external_input: "x2" external_output: "logits2" external_output: "deltas2"
    op { type: "Conv" input: "x2" input: "f" input: "fb" output: "logits2" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "x2" input: "g" input: "gb" output: "deltas2" arg { name: "kernel" i: 1 } })",
                             weights(3, 12));
  ASSERT_EQ(types(graph), (Types{"Conv", "Split", "Conv", "Split"}));
  EXPECT_EQ(graph.nodes[0].inputs[1], graph.nodes[2].inputs[1]);
}

TEST(JoinSiblings, OneWithoutABiasGetsZeros) {
  const Graph graph = joined(R"(
    external_input: "x" external_input: "f" external_input: "g" external_input: "gb"
    external_output: "y" external_output: "z"
    op { type: "Conv" input: "x" input: "f" output: "y" arg { name: "kernel" i: 1 } }
    op { type: "Conv" input: "x" input: "g" input: "gb" output: "z" arg { name: "kernel" i: 1 } })",
                             weights(3, 12));
  ASSERT_EQ(types(graph), (Types{"Conv", "Split"}));
  const at::Tensor& bias = graph.constants.at(graph.nodes[0].inputs[2]);
  EXPECT_EQ(bias.slice(0, 0, 3).abs().sum().item<float>(), 0);
  EXPECT_GT(bias.slice(0, 3).sum().item<float>(), 0);
}

TEST(JoinSiblings, LeavesManyFiltersOtherWindowsAndOtherInputsAlone) {
  const Types apart = {"Conv", "Conv"};
  EXPECT_EQ(types(joined(kHeads, weights(3, 30))), apart);
  const auto replaced = [](const char* what, const char* by) {
    std::string net = kHeads;
    return net.replace(net.rfind(what), std::string(what).size(), by);
  };
  EXPECT_EQ(types(joined(replaced("i: 1 }", "i: 1 } arg { name: \"stride\" i: 2 }"), weights(3, 12))), apart);
  EXPECT_EQ(types(joined(replaced("i: 1 }", "i: 1 } arg { name: \"caffe2rt.relu\" i: 1 }"), weights(3, 12))),
            apart);
  EXPECT_EQ(types(joined(replaced("input: \"x\" input: \"g\"", "input: \"x2\" input: \"g\"") +
                             R"( external_input: "x2")",
                         weights(3, 12))),
            apart);
}

}  // namespace
}  // namespace caffe2rt
