#include "graph/graph.h"

#include "testing/nets.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

Names blobs_of(const Graph& graph, const std::vector<ValueId>& ids) {
  Names names;
  for (const ValueId id : ids) names.push_back(graph.values[id].blob);
  return names;
}

const Blobs weights = {{"w", tensor({1}, {1})}};

TEST(Graph, TellsInputsFromWeights) {
  const auto graph = build_graph(net({op("Add", {"x", "w"}, {"y"})}, {"x", "w"}, {"y"}), weights);
  EXPECT_EQ(blobs_of(graph, graph.inputs), Names{"x"});
  ASSERT_EQ(graph.constants.size(), 1);
  EXPECT_EQ(graph.values[graph.constants.begin()->first].blob, "w");
  EXPECT_EQ(blobs_of(graph, graph.outputs), Names{"y"});
}

TEST(Graph, AnInPlaceOperatorReadsTheOldValueAndWritesANewOne) {
  const auto graph = build_graph(net({op("Relu", {"x"}, {"x"})}, {"x"}, {"x"}), {});
  const Node& relu = graph.nodes.front();
  EXPECT_NE(relu.inputs[0], relu.outputs[0]);
  EXPECT_EQ(graph.outputs, relu.outputs);
  EXPECT_EQ(graph.last_value("x"), relu.outputs[0]);
  EXPECT_EQ(graph.values[relu.inputs[0]].producer, -1);
  EXPECT_EQ(graph.values[relu.outputs[0]].producer, 0);
}

TEST(Graph, ABlobWrittenTwiceIsTwoValues) {
  const auto graph = build_graph(net({op("Relu", {"x"}, {"t"}), op("Copy", {"t"}, {"a"}),
                                      op("Tanh", {"x"}, {"t"}), op("Add", {"a", "t"}, {"y"})},
                                     {"x"}, {"y"}),
                                 {});
  EXPECT_EQ(graph.nodes[1].inputs[0], graph.nodes[0].outputs[0]);
  EXPECT_EQ(graph.nodes[3].inputs[1], graph.nodes[2].outputs[0]);
  EXPECT_EQ(graph.last_value("t"), graph.nodes[2].outputs[0]);
  EXPECT_EQ(graph.last_value("none"), -1);
}

TEST(Graph, WithoutExternalOutputsTheLastOperatorsCount) {
  const auto graph = build_graph(net({op("Relu", {"x"}, {"t"}), op("Split", {"t"}, {"a", "b"})}, {"x"}), {});
  EXPECT_EQ(blobs_of(graph, graph.outputs), (Names{"a", "b"}));
}

TEST(Graph, FindsWeightsThatTheNetDoesNotList) {
  const auto graph = build_graph(net({op("Add", {"x", "w"}, {"y"})}, {"x"}, {"y"}), weights);
  EXPECT_EQ(graph.constants.size(), 1);
}

TEST(Graph, PlaceholdersOfDataAreFed) {
  const Blobs all = {{"data", tensor({1}, {0})}, {"im_info", tensor({1}, {0})}, {"w", tensor({1}, {1})}};
  const auto graph =
      build_graph(net({op("Sum", {"data", "im_info", "w"}, {"y"})}, {"data", "im_info", "w"}, {"y"}), all);
  EXPECT_EQ(blobs_of(graph, graph.inputs), (Names{"data", "im_info"}));
}

TEST(Graph, TheFirstInputIsFedWhereAllHaveValues) {
  const Blobs all = {{"x", tensor({1}, {0})}, {"w", tensor({1}, {1})}};
  const auto graph = build_graph(net({op("Add", {"x", "w"}, {"y"})}, {"x", "w"}, {"y"}), all);
  EXPECT_EQ(blobs_of(graph, graph.inputs), Names{"x"});
}

TEST(Graph, AWeightIsFedOnRequest) {
  const auto graph =
      build_graph(net({op("Add", {"x", "w"}, {"y"})}, {"x", "w"}, {"y"}), weights, {.feeds = {"w"}});
  EXPECT_EQ(blobs_of(graph, graph.inputs), (Names{"x", "w"}));
}

TEST(Graph, KeepsMoreOutputsOnRequest) {
  const auto def = net({op("Relu", {"x"}, {"t"}), op("Tanh", {"t"}, {"y"})}, {"x"}, {"y"});
  const auto plain = build_graph(def, {});
  EXPECT_EQ(blobs_of(plain, plain.outputs), Names{"y"});
  const auto kept = build_graph(def, {}, {.keep = {"t", "y"}});
  EXPECT_EQ(blobs_of(kept, kept.outputs), (Names{"y", "t"}));
  const auto all = build_graph(def, {}, {.keep_all = true});
  EXPECT_EQ(blobs_of(all, all.outputs), (Names{"y", "t"}));
}

TEST(Graph, RefusesAMissingBlob) {
  EXPECT_ERROR(
      build_graph(net({op("Add", {"x", "w"}, {"y"})}, {"x"}), {}), ErrorCode::kGraph,
      "net.pb: operator 0 'Add' (output 'y'): input blob 'w' is missing: no operator writes it, the init net "
      "does not hold it, and it is no external input");
}

TEST(Graph, RefusesOperatorsOutOfOrder) {
  EXPECT_ERROR(
      build_graph(net({op("Tanh", {"t"}, {"y"}), op("Relu", {"x"}, {"t"})}, {"x"}), {}), ErrorCode::kGraph,
      "operator 0 'Tanh' (output 'y'): input blob 't' is written only by operator 1 'Relu': a cycle, or "
      "operators out of order");
}

TEST(Graph, RefusesACycle) {
  EXPECT_ERROR(build_graph(net({op("Tanh", {"b"}, {"a"}), op("Relu", {"a"}, {"b"})}), {}), ErrorCode::kGraph,
               "a cycle, or operators out of order");
}

TEST(Graph, RefusesAnOutputThatNothingWrites) {
  EXPECT_ERROR(build_graph(net({op("Relu", {"x"}, {"t"})}, {"x"}, {"y"}), {}), ErrorCode::kGraph,
               "net.pb: output blob 'y' is written by no operator");
}

TEST(Graph, RefusesAnOperatorThatWritesABlobTwice) {
  EXPECT_ERROR(build_graph(net({op("Split", {"x"}, {"t", "t"})}, {"x"}), {}), ErrorCode::kGraph,
               "output blob 't' is named twice");
}

}  // namespace
}  // namespace caffe2rt
