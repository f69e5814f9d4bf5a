#include "graph/passes/passes.h"
#include "graph/passes/rewrite.h"
#include "testing/operator_test.h"

namespace caffe2rt {
namespace {

using Names = std::vector<std::string>;

// Regions that a net can have so many of, and a RoIAlign that pools them into 14x14 bins.
std::string pooled(int regions) {
  return fmt::format(R"(external_input: "x" external_input: "scores" external_input: "deltas"
    external_input: "im_info" external_input: "anchors"
    op {{ type: "GenerateProposals" input: "scores" input: "deltas" input: "im_info" input: "anchors"
         output: "rois" output: "probs" arg {{ name: "post_nms_topN" i: {} }} }}
    op {{ type: "RoIAlign" input: "x" input: "rois" output: "p"
         arg {{ name: "pooled_h" i: 14 }} arg {{ name: "pooled_w" i: 14 }} }} )",
                     regions);
}

const std::string one = R"(arg { name: "kernel" i: 1 })";

std::string conv(const char* x, const char* weights, const char* y, const std::string& more = one) {
  return fmt::format(R"(op {{ type: "Conv" input: "{}" input: "{}" input: "b" {} output: "{}" }} )", x,
                     weights, more, y);
}

const std::string stride = one + R"(arg { name: "stride" i: 2 })";
const std::string relu = R"(arg { name: "caffe2rt.relu" i: 1 })";

Graph reordered(const std::string& net) {
  Graph graph = build_graph(parse_net_text(net), {{"f", random({8, 8, 1, 1})},
                                                  {"g", random({8, 8, 1, 1})},
                                                  {"wide", random({8, 8, 3, 3})},
                                                  {"b", random({8})}});
  pool_later(graph);
  return graph;
}

Names types(const Graph& graph) {
  Names all;
  for (const Node& node : graph.nodes) all.push_back(node.def.type);
  return all;
}

TEST(PoolLater, ConvolvesTheMapAndPoolsWhatComesOfIt) {
  const Graph graph =
      reordered(pooled(1000) + conv("p", "f", "y", stride + relu) + R"(external_output: "y")");
  ASSERT_EQ(types(graph), (Names{"GenerateProposals", "Conv", "RoIAlign"}));
  EXPECT_EQ(graph.nodes[1].def.inputs, (Names{"x", "f"}));
  EXPECT_EQ(integer_argument(graph.nodes[1].def, "stride", 1), 1);
  EXPECT_EQ(integer_argument(graph.nodes[1].def, "caffe2rt.relu", 0), 0);
  EXPECT_EQ(graph.nodes[2].def.inputs, (Names{graph.nodes[1].def.outputs[0], "rois", "b"}));
  EXPECT_EQ(graph.nodes[2].def.outputs, Names{"y"});
  EXPECT_EQ(integer_argument(graph.nodes[2].def, "caffe2rt.stride_h", 1), 2);
  EXPECT_EQ(integer_argument(graph.nodes[2].def, "caffe2rt.stride_w", 1), 2);
  EXPECT_EQ(integer_argument(graph.nodes[2].def, "caffe2rt.relu", 0), 1);
}

TEST(PoolLater, LetsTheOtherConvolutionOfASumTakeIt) {
  const Graph graph =
      reordered(pooled(1000) + conv("p", "f", "a", stride + relu) + conv("a", "g", "c") +
                conv("p", "g", "y", R"(input: "c")" + stride + relu) + R"(external_output: "y")");
  ASSERT_EQ(types(graph), (Names{"GenerateProposals", "Conv", "RoIAlign", "Conv", "RoIAlign", "Conv"}));
  const OperatorDef &sum = graph.nodes[5].def, &shortcut = graph.nodes[4].def;
  EXPECT_EQ(sum.inputs, (Names{"a", "g", "b", shortcut.outputs[0]}));
  EXPECT_EQ(sum.outputs, Names{"y"});
  EXPECT_EQ(integer_argument(sum, "caffe2rt.relu", 0), 1);
  EXPECT_EQ(integer_argument(shortcut, "caffe2rt.relu", 0), 0);
}

TEST(PoolLater, LeavesSumsAloneThatNoOtherConvolutionCanTake) {
  const Names apart = {"GenerateProposals", "RoIAlign", "Conv", "Conv"};
  EXPECT_EQ(types(reordered(pooled(1000) + conv("p", "f", "a") + conv("p", "g", "y", R"(input: "a")" + one) +
                            R"(external_output: "y")")),
            apart)
      << "of two that are replaced";
  const std::string early = R"(external_input: "e")" + conv("e", "f", "a");
  EXPECT_EQ(types(reordered(early + pooled(1000) + conv("p", "g", "y", R"(input: "a")" + one) +
                            R"(external_output: "y")")),
            (Names{"Conv", "GenerateProposals", "RoIAlign", "Conv"}))
      << "one that comes before the regions";
}

TEST(PoolLater, ConvolvesAMapOnceForRegionsOfTwoStages) {
  const std::string few = R"(op { type: "BoxWithNMSLimit" input: "scores" input: "deltas" input: "anchors"
    output: "s" output: "boxes" output: "c" arg { name: "detections_per_im" i: 2 } }
    op { type: "RoIAlign" input: "x" input: "boxes" output: "q" arg { name: "pooled_h" i: 14 } arg { name: "pooled_w" i: 14 } })";
  const Graph graph = reordered(pooled(1000) + conv("p", "f", "y") + few + conv("q", "f", "z") +
                                R"(external_output: "y" external_output: "z")");
  EXPECT_EQ(types(graph), (Names{"GenerateProposals", "Conv", "RoIAlign", "BoxWithNMSLimit", "RoIAlign"}));
  EXPECT_EQ(graph.nodes[2].inputs[0], graph.nodes[4].inputs[0]);
}

TEST(PoolLater, LeavesFewRegionsAndOtherReadersAlone) {
  const std::string y = R"(external_output: "y")";
  const auto is_left_alone = [](const std::string& net) {
    const Names all = types(reordered(net));
    return std::ranges::find(all, "RoIAlign") < std::ranges::find(all, "Conv");
  };
  EXPECT_FALSE(is_left_alone(pooled(100) + conv("p", "f", "y") + y));
  EXPECT_TRUE(is_left_alone(pooled(15) + conv("p", "f", "y") + y));
  EXPECT_TRUE(is_left_alone(pooled(1000) + conv("p", "wide", "y", R"(arg { name: "kernel" i: 3 })") + y));
  EXPECT_TRUE(is_left_alone(pooled(1000) + conv("p", "f", "y", one + R"(arg { name: "pad" i: 1 })") + y));
  EXPECT_TRUE(is_left_alone(pooled(1000) + conv("p", "f", "y") + y + R"(external_output: "p")"));
  EXPECT_TRUE(is_left_alone(pooled(1000) + conv("p", "f", "y") + y +
                            R"(op { type: "Relu" input: "p" output: "z" } external_output: "z")"));
  EXPECT_TRUE(is_left_alone(pooled(1000) + conv("p", "f", "y", R"(input: "x")" + one) + y));
}

// The whole of it, on numbers: regions partly beyond the map, where samples are zero.
TEST(PoolLater, LeavesResultsAsTheyAre) {
  for (const char* type : {"RoIAlign", "RoIAlignRotated"}) {
    const bool rotated = std::string(type) == "RoIAlignRotated";
    const at::Tensor rois = rotated ? tensor({2, 6}, {0, 9, 8, 12, 10, 30, 0, 1, 1, 9, 9, -60})
                                    : tensor({2, 5}, {0, 1, 2, 17, 13, 0, -9, -9, 5, 6});
    const Args pooling = {{"pooled_h", 5}, {"pooled_w", 4}, {"spatial_scale", 1.0F}, {"sampling_ratio", 2}};
    const at::Tensor x = random({1, 20, 12, 16}), filter = random({24, 20, 1, 1}), bias = random({24});
    const at::Tensor before = run_operator("Conv", {run_operator(type, {x, rois}, pooling), filter, bias},
                                           {{"kernel", 1}, {"stride", 2}, {"caffe2rt.relu", 1}});
    Args after = pooling;
    after.insert(after.end(), {{"caffe2rt.stride_h", 2}, {"caffe2rt.stride_w", 2}, {"caffe2rt.relu", 1}});
    const at::Tensor map = run_operator("Conv", {x, filter}, {{"kernel", 1}});
    EXPECT_TENSOR_NEAR(run_operator(type, {map, rois, bias}, after), before, 1e-4);
    EXPECT_GT(before.max().item<float>(), 0);
  }
}

}  // namespace
}  // namespace caffe2rt
